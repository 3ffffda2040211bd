<?php
function run() {
  $s = "";
  for ($i = 0; $i < 1000000; $i++) $s .= "part" . $i;
  return strlen($s) . substr($s, 999999, 6);
}
