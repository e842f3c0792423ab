local function queens(n, row, cols, up, down)
  if row == n then return 1 end
  local found = 0
  local free = ~(cols | up | down) & ((1 << n) - 1)
  while free ~= 0 do
    local bit = free & -free
    free = free ~ bit
    found = found + queens(n, row + 1, cols | bit, (up | bit) << 1, (down | bit) >> 1)
  end
  return found
end
local words = {}
for i = 0, 40000 do
  local word = "w" .. ((i * 7919) % 3001)
  words[word] = (words[word] or 0) + #word
end
local sorted = {}
for word in pairs(words) do sorted[#sorted + 1] = word end
table.sort(sorted)
local Point = {}
Point.__index = Point
Point.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Point) end
local sum = setmetatable({ x = 0, y = 0.0 }, Point)
for i = 1, 30000 do sum = sum + setmetatable({ x = i % 7, y = i / 3 }, Point) end
local text = table.concat(sorted, " ", 1, 1000):gsub("w(%d)", "%1v")
return string.format("%d %s %d %.1f %d", queens(7, 0, 0, 0, 0), sorted[1500], sum.x, sum.y, #text)
