<?php
function run() {
  $s = 0;
  for ($i = 0; $i < 1000; $i++) for ($j = 0; $j < 10000; $j++) $s += $j;
  return $s;
}
