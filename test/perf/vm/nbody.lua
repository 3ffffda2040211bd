local function bodies()
  return {
    {x = 0, y = 0, z = 0, vx = 0, vy = 0, vz = 0, mass = 39.478417604357431969},
    {x = 4.841431442464720902, y = -1.160320044027428388, z = -0.103622044471123109, vx = 0.60632639299583202, vy = 2.811986844916260164, vz = -0.025218361659887629, mass = 0.037693674870389493},
    {x = 8.343366718244579872, y = 4.124798564124304789, z = -0.403523417114321381, vx = -1.01077434617879236, vy = 1.825662371230411862, vz = 0.008415761376584154, mass = 0.011286326131968767},
    {x = 12.894369562139130991, y = -15.111151401698631247, z = -0.223307578892655734, vx = 1.082791006441535364, vy = 0.86871301816960822, vz = -0.010832637401363636, mass = 0.001723724057059711},
    {x = 15.379697114850916506, y = -25.919314609987964104, z = 0.179258772950371181, vx = 0.979090732243897977, vy = 0.594698998647676169, vz = -0.034755955504078104, mass = 0.00203368686992463},
  }
end
local sqrt = math.sqrt
local function round(v) return v < 0 and math.ceil(v - 0.5) or math.floor(v + 0.5) end
function run()
  local b = bodies()
  local n, dt = #b, 0.01
  for step = 1, 20000 do
    for i = 1, n do
      local bi = b[i]
      for j = i + 1, n do
        local bj = b[j]
        local dx, dy, dz = bi.x - bj.x, bi.y - bj.y, bi.z - bj.z
        local d = dx * dx + dy * dy + dz * dz
        local mag = dt / (d * sqrt(d))
        local mi, mj = bi.mass * mag, bj.mass * mag
        bi.vx = bi.vx - dx * mj; bi.vy = bi.vy - dy * mj; bi.vz = bi.vz - dz * mj
        bj.vx = bj.vx + dx * mi; bj.vy = bj.vy + dy * mi; bj.vz = bj.vz + dz * mi
      end
    end
    for i = 1, n do
      local bi = b[i]
      bi.x = bi.x + dt * bi.vx; bi.y = bi.y + dt * bi.vy; bi.z = bi.z + dt * bi.vz
    end
  end
  return round(b[1].x * 1000000) + round(b[2].y * 1000000)
end
