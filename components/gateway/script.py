"""The Lua that routes a request by the model that its body names, and reads answers: errors and tokens."""

from collections.abc import Sequence

from corral.components.gateway.errors import INVALID, error

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

NOT_JSON = error("The content type must be application/json.", INVALID, "unsupported_media_type")
ROUTING = r"""
local function route(handle, path)
  local tenant, rest = string.match(path, "^(/[a-z0-9-]+)(/v1/.*)$")
  if tenant == nil then return end
  local kind = string.lower(handle:headers():get("content-type") or "")
  if handle:headers():get(":method") == "POST" and string.match(kind, "^[^;%s]*") ~= "application/json" then
    handle:respond({[":status"] = "415", ["content-type"] = "application/json"}, [[NOT_JSON]])
    return
  end
  local body = handle:body()
  if not body then return end
  local model = value_of(body:getBytes(0, body:length()), "model", '"([a-z0-9-]+)"')
  if model == nil then return end
  -- Waiting for the body has ended the scope of earlier `headers`.
  handle:headers():replace(":path", tenant .. "/" .. model .. rest)
  handle:clearRouteCache()
end
""".replace("NOT_JSON", NOT_JSON)

TOO_LONG = error("MESSAGE", INVALID, "context_length_exceeded")
MOST_READ = 8192
"""Bytes of an engine's error that are looked into; others are passed on as they come."""
ERRORS = (
    r"""
-- Engines' words for a prompt that is longer than the context, in the interface's form: llama.cpp's, vLLM's,
-- those of Text Embeddings Inference, whose status is 422.
local function in_form(handle)
  local length = tonumber(handle:headers():get("content-length") or "")
  if length == nil or length > MOST_READ then return end
  local body = handle:body()
  local text = body and body:getBytes(0, body:length()) or ""
  if not (string.find(text, "exceed_context_size_error", 1, true)
      or string.find(text, "maximum context length", 1, true)
      or string.find(text, "must have less than %d+ tokens")) then return end
  local message = string.match(text, '"message"%s*:%s*"([^"\\]*)"') or "The prompt exceeds the context."
  handle:headers():replace("content-length", body:setBytes([[HEAD]] .. message .. [[TAIL]]))
  handle:headers():replace(":status", "400")
end
""".replace("MOST_READ", str(MOST_READ))
    .replace("HEAD", TOO_LONG.partition("MESSAGE")[0])
    .replace("TAIL", TOO_LONG.partition("MESSAGE")[2])
)

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

local function count(handle)
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
    """The whole script of a route: errors of engines, and routing by the model's name and counting if so."""
    request = [
        'local path = handle:headers():get(":path") or ""',
        *(["ask_for_usage(handle, path)"] if counting else []),
        *(["route(handle, path)"] if routing else []),
    ]
    response = [
        'local status = handle:headers():get(":status")',
        'if status == "400" or status == "422" then return in_form(handle) end',
        *(["count(handle)"] if counting else []),
    ]
    return (
        READING
        + (ROUTING if routing else "")
        + ERRORS
        + (USAGE if counting else "")
        + _function("envoy_on_request", request)
        + _function("envoy_on_response", response)
    )


def _function(name: str, steps: Sequence[str]) -> str:
    return f"\nfunction {name}(handle)\n" + "".join(f"  {step}\n" for step in steps) + "end\n"
