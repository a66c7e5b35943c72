/* crc32c - CRC-32C (Castagnoli, as in RFC 3720 appendix B.4): tells what was written from what was
 * torn. Guards against accidents, not against anybody's intent. */
#ifndef LONGHAND_BASE_CRC32C_H
#define LONGHAND_BASE_CRC32C_H
#include <stddef.h>
#include <stdint.h>

/* The sum of what came before (0 at first) and `len` bytes more. Of "123456789": 0xE3069283.
 * Any thread. */
uint32_t crc32c(uint32_t sum, const void *data, size_t len);
#endif
