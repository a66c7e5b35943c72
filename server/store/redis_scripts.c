#include "store/redis_scripts.h"

/* Lua is laid out as Lua. */
/* clang-format off */
/* An emptied server has no generation: whoever finds that gives it one. */
#define ENSURE_GENERATION(key, value, ttl)                                  \
	"local generation = redis.call('GET', " key ")\n"                   \
	"if not generation then\n"                                          \
	"  generation = " value "\n"                                        \
	"  redis.call('SET', " key ", generation, 'PX', " ttl ")\n"         \
	"end\n"

const char *const redis_scripts[REDIS_SCRIPT_COUNT] = {
	/* KEYS: generation. ARGV: a new one, its TTL, the server's run id or "". Another run of the
	 * server (a restart, a failover) may have lost what had landed: another generation. */
	[REDIS_SCRIPT_BEGIN] =
	"-- begin\n"
	"local generation = redis.call('GET', KEYS[1])\n"
	"local run = generation and string.match(generation, ':(.*)$') or ''\n"
	"if not generation or (ARGV[3] ~= '' and run ~= ARGV[3]) then\n"
	"  generation = ARGV[1]\n"
	"  redis.call('SET', KEYS[1], generation, 'PX', ARGV[2])\n"
	"end\n"
	"redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
	"return generation\n",

	/* KEYS: log, dead, running, generation, labels ... ARGV: 1 job, 2 writer, 3 id, 4 n,
	 * 5 state, 6 data, 7 TTL of the log, 8 of labels and running, 9 a generation, 10 its TTL,
	 * 11 how many jobs a label may hold. */
	[REDIS_SCRIPT_CREATE] =
	"-- create\n"
	ENSURE_GENERATION("KEYS[4]", "ARGV[9]", "ARGV[10]")
	"if redis.call('EXISTS', KEYS[2]) == 1 then return {'dead', generation} end\n"
	"if redis.call('EXISTS', KEYS[1]) == 1 then return {'exists', generation} end\n"
	"local time = redis.call('TIME')\n"
	"local now = string.format('%d%06d', time[1], time[2])\n"
	"for i = 5, #KEYS do\n"
	"  redis.call('ZADD', KEYS[i], now, ARGV[1])\n"
	"  redis.call('ZREMRANGEBYRANK', KEYS[i], 0, -1 - ARGV[11])\n"
	"  redis.call('PEXPIRE', KEYS[i], ARGV[8])\n"
	"end\n"
	"if ARGV[5] == 'running' or ARGV[5] == 'offered' then\n"
	"  redis.call('HSET', KEYS[3], ARGV[1], ARGV[5] == 'running' and ARGV[2] or '')\n"
	"  redis.call('PEXPIRE', KEYS[3], ARGV[8])\n"
	"end\n"
	"redis.call('XADD', KEYS[1], ARGV[3], 'n', ARGV[4], 's', ARGV[5], 'd', ARGV[6])\n"
	"redis.call('PEXPIRE', KEYS[1], ARGV[7])\n"
	"return {'ok', generation}\n",

	/* KEYS: log, dead, running, generation. ARGV: 1 job, 2 writer, 3 epoch, 4 first seq,
	 * 5 last seq, 6 n, 7 state, 8 data, 9 TTL of the log, 10 of running, 11 a generation,
	 * 12 its TTL, 13 TTL of the tombstone. An ended log leaves one too: its writer of long
	 * ago, thawed after the retention, must not take it for lost. */
	[REDIS_SCRIPT_APPEND] =
	"-- append\n"
	ENSURE_GENERATION("KEYS[4]", "ARGV[11]", "ARGV[12]")
	"local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]\n"
	"if not last then\n"
	"  return {redis.call('EXISTS', KEYS[2]) == 1 and 'dead' or 'gone', generation}\n"
	"end\n"
	"local e, s = string.match(last[1], '(%d+)-(%d+)')\n"
	"e, s = tonumber(e), tonumber(s)\n"
	"local epoch, first = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
	"if epoch < e or (epoch == e and first <= s) then\n"
	"  return {'conflict', generation}\n"
	"end\n"
	"if epoch == e and first > s + 1 then return {'gap', generation} end\n"
	"redis.call('XADD', KEYS[1], 'NOMKSTREAM', ARGV[3] .. '-' .. ARGV[5],\n"
	"  'n', ARGV[6], 's', ARGV[7], 'd', ARGV[8])\n"
	"redis.call('PEXPIRE', KEYS[1], ARGV[9])\n"
	"if ARGV[7] == 'running' or ARGV[7] == 'offered' then\n"
	"  redis.call('HSET', KEYS[3], ARGV[1], ARGV[7] == 'running' and ARGV[2] or '')\n"
	"  redis.call('PEXPIRE', KEYS[3], ARGV[10])\n"
	"else\n"
	"  redis.call('HDEL', KEYS[3], ARGV[1])\n"
	"end\n"
	"if ARGV[7] == 'ended' then redis.call('SET', KEYS[2], 'ended', 'PX', ARGV[13]) end\n"
	"return {'ok', generation}\n",

	/* KEYS: log, dead, running. ARGV: job, TTL of the tombstone. */
	[REDIS_SCRIPT_ERASE] =
	"-- erase\n"
	"redis.call('SET', KEYS[2], 'erased', 'PX', ARGV[2])\n"
	"redis.call('HDEL', KEYS[3], ARGV[1])\n"
	"return redis.call('UNLINK', KEYS[1])\n",

	/* KEYS: label. ARGV: what logs' keys begin with, how many are wanted. Also reads whether
	 * the logs are there; drops those that are not. */
	[REDIS_SCRIPT_FIND] =
	"-- find\n"
	"local found = {}\n"
	"for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do\n"
	"  if redis.call('EXISTS', ARGV[1] .. id) == 0 then\n"
	"    redis.call('ZREM', KEYS[1], id)\n"
	"  else\n"
	"    found[#found + 1] = id\n"
	"    if #found == tonumber(ARGV[2]) then break end\n"
	"  end\n"
	"end\n"
	"return found\n",

	/* KEYS: all of running. ARGV: 1 what logs' keys begin with, 2 and writers', 3 our own name,
	 * 4 how many are wanted, 5 whether a missing lease means that its writer is gone. */
	[REDIS_SCRIPT_ORPHANS] =
	"-- orphans\n"
	"local alive, found = {[ARGV[3]] = true}, {}\n"
	"local function is_orphan(writer)\n"
	"  if writer == '' then return true end\n"
	"  if ARGV[5] ~= '1' then return false end\n"
	"  if alive[writer] == nil then\n"
	"    alive[writer] = redis.call('EXISTS', ARGV[2] .. writer) == 1\n"
	"  end\n"
	"  return not alive[writer]\n"
	"end\n"
	"for _, key in ipairs(KEYS) do\n"
	"  local pairs = redis.call('HGETALL', key)\n"
	"  for i = 1, #pairs, 2 do\n"
	"    if is_orphan(pairs[i + 1]) then\n"
	"      if redis.call('EXISTS', ARGV[1] .. pairs[i]) == 1 then\n"
	"        found[#found + 1] = pairs[i]\n"
	"        if #found == tonumber(ARGV[4]) then return found end\n"
	"      else\n"
	"        redis.call('HDEL', key, pairs[i])\n"
	"      end\n"
	"    end\n"
	"  end\n"
	"end\n"
	"return found\n",
};
