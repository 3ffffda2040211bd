<?php
function allowed($domain, $list) { foreach ($list as $entry) if ($domain == $entry) return true; return false; }
function score($value, $weight) { return $value * $weight + 1; }
function hook($connection, $transaction) {
  $helo = strtolower($connection["helo"]["host"]);
  $sender = strtolower($transaction["sender"]);
  $domain = strtolower($transaction["senderaddress"]["domain"]);
  $ip = $connection["remoteip"];
  $port = $connection["remoteport"];
  $points = 0;
  if (preg_match('/^[a-z0-9._-]+@[a-z0-9.-]+$/', $sender)) $points += score(2, 3);
  if ($helo == $domain) $points += score(1, 2);
  if ($connection["tls"]["started"]) $points += score(1, 1);
  if ($port < 1024) $points -= 5;
  if (!allowed($domain, ["example.com", "example.net", "example.org"])) $points -= 10;
  $accepted = [];
  foreach ($transaction["recipients"] as $recipient) {
    if ($recipient["address"]["domain"] == "blocked.example") continue;
    $accepted[] = $recipient["recipient"];
  }
  $result = ["points" => $points, "ip" => $ip, "recipients" => count($accepted), "action" => $points > 5 ? "accept" : "defer"];
  return $result["points"] + $result["recipients"];
}
function run() {
  $sum = 0;
  for ($i = 0; $i < 100000; $i++) {
    $connection = ["id" => "c", "remoteip" => "192.0.2.1", "remoteport" => 30000 + $i % 1000, "helo" => ["verb" => "EHLO", "host" => "MX.Example.org"], "tls" => ["started" => true, "protocol" => "TLSv1.3"]];
    $transaction = ["id" => "t", "sender" => "Joe@Example.org", "senderaddress" => ["localpart" => "Joe", "domain" => "Example.org"],
      "recipients" => [["recipient" => "a@example.net", "address" => ["localpart" => "a", "domain" => "example.net"]], ["recipient" => "b@blocked.example", "address" => ["localpart" => "b", "domain" => "blocked.example"]]]];
    $sum += hook($connection, $transaction);
  }
  return $sum;
}
