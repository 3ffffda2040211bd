<?php
// preg_match over the cases of patterns.ts: argv[1] is a JSON file, argv[2] the number of rounds. Prints, for each case, the
// matches found and the CPU microseconds of each round.
function cpu() { $u = getrusage(); return $u["ru_utime.tv_sec"] * 1e6 + $u["ru_utime.tv_usec"] + $u["ru_stime.tv_sec"] * 1e6 + $u["ru_stime.tv_usec"]; }
foreach (json_decode(file_get_contents($argv[1]), true) as $case) {
  $pattern = $case["pattern"];
  $subjects = $case["subjects"];
  $times = $case["times"];
  $rounds = [];
  for ($round = 0; $round < (int)$argv[2]; $round++) {
    $count = 0;
    $before = cpu();
    for ($i = 0; $i < $times; $i++) foreach ($subjects as $subject) if (preg_match($pattern, $subject, $m)) $count++;
    $rounds[] = cpu() - $before;
  }
  echo json_encode(["count" => $count, "rounds" => $rounds]), "\n";
}
