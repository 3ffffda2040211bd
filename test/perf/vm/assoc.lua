function run()
  local t = {}
  local k = 1
  for i = 0, 999999 do k = (k * 1103515 + 12345) % 2147483647; t[k] = i end
  local sum = 0
  k = 1
  for i = 0, 999999 do k = (k * 1103515 + 12345) % 2147483647; sum = sum + t[k] end
  return sum
end
