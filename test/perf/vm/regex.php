<?php
function run() {
  $subjects = ["From: Joe User <joe.user@example.org>", "queue id 77AB12 removed", "550 5.1.1 no such user here", "Received: from mx1.example.net (10.1.2.3)", "plain text without anything", "joe@x.example, ann@y.example", "451 4.7.1 try again later please", "id=4711;state=open"];
  $count = 0;
  for ($i = 0; $i < 20000; $i++) {
    foreach ($subjects as $s) {
      if (preg_match('/([a-z.]+)@([a-z.]+)/', $s)) $count++;
      if (preg_match('/^[45][0-9][0-9] [45]\.[0-9]+\.[0-9]+/', $s)) $count++;
      if (preg_match('/id[ =]([0-9A-F]+)/i', $s)) $count++;
    }
  }
  return $count;
}
