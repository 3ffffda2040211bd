function run()
  local s = 0
  for i = 0, 999 do for j = 0, 9999 do s = s + j end end
  return s
end
