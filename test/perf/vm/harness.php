<?php
require $argv[1];
function cpu() { $u = getrusage(); return $u["ru_utime.tv_sec"] * 1000 + $u["ru_utime.tv_usec"] / 1000 + $u["ru_stime.tv_sec"] * 1000 + $u["ru_stime.tv_usec"] / 1000; }
$times = [];
for ($i = 0; $i < (int)$argv[2]; $i++) { $t = cpu(); $sum = run(); $times[] = cpu() - $t; }
echo $sum, " ", implode(" ", $times), "\n";
