<?php
function peek($a, $i) { return $a[$i % 1000]; }
function run() {
  $a = range(0, 999);
  $sum = 0;
  for ($i = 0; $i < 1000000; $i++) { $sum += peek($a, $i); $a[1] = $i; }
  return $sum;
}
