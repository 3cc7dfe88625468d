"""The Lua that routes a request by the model that its body names, and reads answers: errors and tokens."""

from collections.abc import Mapping, Sequence

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

-- Each string of the object itself, not of one within it, and the position behind it.
local function strings_of(body)
  local at, depth = 1, 0
  return function()
    while true do
      local from = string.find(body, '["{}%[%]]', at)
      if from == nil then return nil end
      local mark = string.sub(body, from, from)
      if mark == '"' then
        local text
        at, text = text_at(body, from)
        if depth == 1 then return text, at end
      else
        depth = depth + ((mark == "{" or mark == "[") and 1 or -1)
        at = from + 1
      end
    end
  end
end

-- What `form` finds as value of its key `name`.
local function value_of(body, name, form)
  for key, at in strings_of(body) do
    local value = key == name and string.match(body, "^%s*:%s*" .. form, at)
    if value then return value end
  end
end
"""

ASKED = ("max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict")
"""What requests call the tokens of an answer: OpenAI's interfaces, Anthropic's, llama.cpp."""
TOO_MANY = error("An answer of this model has at most MOST tokens.", INVALID, "invalid_value", "max_tokens")
CEILING = r"""
local MOST = {CEILINGS}
local ASKED = {NAMES}

-- Whether the object itself asks for more tokens than `most`, however often it says how many. A key that is
-- spelled with escapes may be any of them. Fewer than none leaves the number to the engine.
local function too_many(body, most)
  for key, at in strings_of(body) do
    local value = (ASKED[key] or string.find(key, "\\", 1, true))
      and string.match(body, "^%s*:%s*([^%s,}]+)", at)
    if value and value ~= "null" and (tonumber(value) or math.huge) > most then return true end
  end
  return false
end

-- Whether a request to `model` was refused, as asking for more than it may.
local function refused(handle, model, body)
  local most = MOST[model]
  if most == nil or not too_many(body, most) then return false end
  local answer = string.gsub([[TOO_MANY]], "MOST", tostring(most))
  handle:respond({[":status"] = "400", ["content-type"] = "application/json"}, answer)
  return true
end
""".replace("NAMES", ", ".join(f"{name} = true" for name in ASKED)).replace("TOO_MANY", TOO_MANY)
NO_CEILING = "\nlocal function refused() return false end\n"
OF_A_MODEL = r"""
local function within_ceiling(handle, path)
  local model = string.match(path, "^/[a-z0-9-]+/([a-z0-9-]+)/v1/")
  local body = MOST[model] and handle:body()
  if body then refused(handle, model, body:getBytes(0, body:length())) end
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
  local text = body:getBytes(0, body:length())
  local model = value_of(text, "model", '"([a-z0-9-]+)"')
  if model == nil or refused(handle, model, text) then return end
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
  local options = value_of(text, "stream_options", "(%b{})") or "{}"
  note(handle, "UNASKED", value_of(options, "include_usage", "(true)") == nil)
  body:setBytes(string.sub(text, 1, last - 1) .. ',"stream_options":{"include_usage":true}}')
end

-- The events that are whole in `text` but for one of usage alone, and what begins behind them.
local function without_usage(text)
  local shown = {}
  local rest = string.gsub(text, "(.-\r?\n\r?\n)", function(event)
    local usage = string.find(event, '"choices"%s*:%s*%[%s*%]') and string.find(event, '"usage"%s*:%s*{')
    if not usage then table.insert(shown, event) end
    return ""
  end)
  return table.concat(shown), rest
end

local function count(handle)
  local reset = handle:headers():get("x-ratelimit-reset")
  if reset ~= nil then note(handle, "RESET", reset) end
  local noted = handle:streamInfo():dynamicMetadata():get("METADATA")
  local hide = noted and noted["UNASKED"] and handle:headers():get("content-length") == nil
    and string.find(handle:headers():get("content-type") or "", "text/event-stream", 1, true)
  local carried, total, events, begun = "", 0, 0, ""
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
    if hide then
      local shown
      shown, begun = without_usage(begun .. bytes)
      chunk:setBytes(shown)
    end
  end
end
""".replace("METADATA", METADATA)
    .replace("UNASKED", "unasked")
    .replace("USED", USED)
    .replace("RESET", RESET)
)


def script(*, routing: bool, counting: bool, most_tokens: Mapping[str, int] | None = None) -> str:
    """The whole script of a route: errors of engines, routing by the model's name and counting if so.

    `most_tokens`: what a request may ask for at most, by the name of the model.
    """
    request = [
        'local path = handle:headers():get(":path") or ""',
        *(["ask_for_usage(handle, path)"] if counting else []),
        *(["route(handle, path)"] if routing else []),
        *(["within_ceiling(handle, path)"] if most_tokens and not routing else []),
    ]
    response = [
        'local status = handle:headers():get(":status")',
        'if status == "400" or status == "422" then return in_form(handle) end',
        *(["count(handle)"] if counting else []),
    ]
    ceilings = ", ".join(f'["{model}"] = {most}' for model, most in (most_tokens or {}).items())
    return (
        READING
        + (CEILING.replace("CEILINGS", ceilings) if most_tokens else NO_CEILING)
        + (ROUTING if routing else OF_A_MODEL)
        + ERRORS
        + (USAGE if counting else "")
        + _function("envoy_on_request", request)
        + _function("envoy_on_response", response)
    )


def _function(name: str, steps: Sequence[str]) -> str:
    return f"\nfunction {name}(handle)\n" + "".join(f"  {step}\n" for step in steps) + "end\n"
