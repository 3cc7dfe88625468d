"""The Lua that routes a request by the model that its body names, and counts an answer's tokens."""

METADATA = "corral.tokens"
"""Namespace of Envoy's dynamic metadata in which the script notes what follows."""
USED, RESET = "used", "reset"
"""Tokens that a call has used; seconds until the limit that refuses it begins anew."""

READING = r"""
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

-- What `form` finds as value of the key `name` of the object itself, not of one within it.
local function value_of(body, name, form)
  local at, depth = 1, 0
  while true do
    local from = string.find(body, '["{}%[%]]', at)
    if from == nil then return nil end
    local mark = string.sub(body, from, from)
    if mark == '"' then
      local key
      at, key = text_at(body, from)
      if depth == 1 and key == name then
        local value = string.match(body, "^%s*:%s*" .. form, at)
        if value ~= nil then return value end
      end
    else
      depth = depth + ((mark == "{" or mark == "[") and 1 or -1)
      at = from + 1
    end
  end
end
"""

ROUTING = r"""
local function route(handle, path)
  local tenant, rest = string.match(path, "^(/[a-z0-9-]+)(/v1/.*)$")
  local body = tenant and handle:body()
  if not body then return end
  local model = value_of(body:getBytes(0, body:length()), "model", '"([a-z0-9-]+)"')
  if model == nil then return end
  -- Waiting for the body has ended the scope of earlier `headers`.
  handle:headers():replace(":path", tenant .. "/" .. model .. rest)
  handle:clearRouteCache()
end
"""

USAGE = (
    r"""
local function note(handle, key, value)
  handle:streamInfo():dynamicMetadata():set("METADATA", key, value)
end

-- A stream says its usage when it is asked to; of two keys with one name the last is the one that is read.
local function ask_for_usage(handle, path)
  handle:headers():remove("accept-encoding")
  note(handle, "USED", 0)
  local body = string.find(string.match(path, "^[^?]*"), "/completions$") and handle:body()
  if not body then return end
  local text = body:getBytes(0, body:length())
  local last = string.find(text, "}%s*$")
  if last == nil or value_of(text, "stream", "(true)") == nil then return end
  body:setBytes(string.sub(text, 1, last - 1) .. ',"stream_options":{"include_usage":true}}')
end

function envoy_on_response(handle)
  local reset = handle:headers():get("x-ratelimit-reset")
  if reset ~= nil then note(handle, "RESET", reset) end
  local carried, total, events = "", 0, 0
  for chunk in handle:bodyChunks() do
    local bytes = chunk:getBytes(0, chunk:length())
    local text = carried .. bytes
    -- Quotes within the text of an answer have a backslash before them.
    for tokens in string.gmatch(text, '"total_tokens"%s*:%s*(%d+)') do
      total = math.max(total, tonumber(tokens))
    end
    for _ in string.gmatch(bytes, "\ndata:") do events = events + 1 end
    carried = string.sub(text, -64)
    -- A stream that is broken off has not said its usage: it has about a token an event.
    note(handle, "USED", total > 0 and total or events)
  end
end
""".replace("METADATA", METADATA)
    .replace("USED", USED)
    .replace("RESET", RESET)
)


def script(*, routing: bool, counting: bool) -> str:
    """The whole script of a route: by the model's name, by an answer's tokens, or both."""
    steps = [
        *(["ask_for_usage(handle, path)"] if counting else []),
        *(["route(handle, path)"] if routing else []),
    ]
    request = "".join(f"  {step}\n" for step in steps)
    return (
        READING
        + (ROUTING if routing else "")
        + (USAGE if counting else "")
        + '\nfunction envoy_on_request(handle)\n  local path = handle:headers():get(":path") or ""\n'
        + request
        + "end\n"
    )
