-- Runs a program's run() and prints its checksum and the CPU milliseconds of each repetition.
dofile(arg[1])
local times, sum = {}, nil
for i = 1, tonumber(arg[2]) do local t = os.clock(); sum = run(); times[#times + 1] = (os.clock() - t) * 1000 end
if math.type(sum) == "float" and sum == math.floor(sum) then sum = math.tointeger(sum) end
print(tostring(sum) .. " " .. table.concat(times, " "))
