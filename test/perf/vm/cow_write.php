<?php
function touch_one($a, $i) { $a[$i % 1000] = $i; return $a[0]; }
function run() {
  $a = range(0, 999);
  $sum = 0;
  for ($i = 0; $i < 40000; $i++) { $sum += touch_one($a, $i); $a[1] = $i; }
  return $sum;
}
