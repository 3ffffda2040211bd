<?php
function run() {
  $n = 1000000;
  $flags = [];
  for ($i = 0; $i <= $n; $i++) $flags[] = true;
  $count = 0;
  for ($i = 2; $i <= $n; $i++) {
    if ($flags[$i]) {
      $count++;
      for ($k = $i + $i; $k <= $n; $k += $i) $flags[$k] = false;
    }
  }
  return $count;
}
