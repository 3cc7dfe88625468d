"""The Lua that finds the route of a request by the model that its body names."""

SCRIPT = r"""
-- Position behind the string that begins at `from`, and the string.
local function text_at(body, from)
  local at = from + 1
  while true do
    local stop = string.find(body, '["\\]', at)
    if stop == nil then return #body + 1, "" end
    if string.sub(body, stop, stop) == '"' then return stop + 1, string.sub(body, from + 1, stop - 1) end
    at = stop + 2
  end
end

-- Value of the key `model` of the object itself, not of one within it.
local function model_of(body)
  local at, depth = 1, 0
  while true do
    local from = string.find(body, '["{}%[%]]', at)
    if from == nil then return nil end
    local mark = string.sub(body, from, from)
    if mark == '"' then
      local key
      at, key = text_at(body, from)
      if depth == 1 and key == "model" then
        local value = string.match(body, '^%s*:%s*"([a-z0-9-]+)"', at)
        if value ~= nil then return value end
      end
    else
      depth = depth + ((mark == "{" or mark == "[") and 1 or -1)
      at = from + 1
    end
  end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local tenant, rest = string.match(headers:get(":path") or "", "^(/[a-z0-9-]+)(/v1/.*)$")
  local body = tenant and handle:body()
  if not body then return end
  local model = model_of(body:getBytes(0, body:length()))
  if model == nil then return end
  -- Waiting for the body has ended the scope of `headers`.
  handle:headers():replace(":path", tenant .. "/" .. model .. rest)
  handle:clearRouteCache()
end
"""
