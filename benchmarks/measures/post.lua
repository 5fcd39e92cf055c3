-- Each request asks about another subscriber.
local subscribers = tonumber(os.getenv("BENCH_SUBSCRIBERS"))
local headers = {
  ["Content-Type"] = "application/json",
  ["Authorization"] = "Bearer " .. os.getenv("BENCH_API_KEY"),
}

function request()
  local body = '{"subject_ref": "user_' .. math.random(1, subscribers) .. '"}'
  return wrk.format("POST", nil, headers, body)
end
