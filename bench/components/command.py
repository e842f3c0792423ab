import sys, json, re, hashlib, collections, decimal, struct, itertools
from wit_world import exports
def queens(n, row=0, cols=0, up=0, down=0):
    if row == n: return 1
    found, free = 0, ~(cols | up | down) & ((1 << n) - 1)
    while free:
        bit = free & -free
        free ^= bit
        found += queens(n, row + 1, cols | bit, (up | bit) << 1, (down | bit) >> 1)
    return found
class Run(exports.Run):
    def run(self) -> None:
        words = collections.Counter('w%d' % (i * 7919 % 3001) for i in range(30000))
        decimal.getcontext().prec = 50
        try:
            {}['x']
        except KeyError as error:
            caught = repr(error)
        print(json.dumps({
            'args': sys.argv[1:], 'queens': queens(6), 'words': sorted(words.items())[:3],
            'sha': hashlib.sha256(b'abc' * 1000).hexdigest(), 'md5': hashlib.md5(b'x').hexdigest(),
            'root': str(decimal.Decimal(2).sqrt()), 'big': 3 ** 200, 'pack': struct.pack('<dIq', 1.5, 7, -3).hex(),
            'sub': re.sub(r'(\w)(\d+)', r'<\2\1>', 'a12 b3 c456'), 'caught': caught,
            'perm': sum(1 for _ in itertools.permutations(range(7))), 'utf': 'grüße 🦀'.encode().hex(), 'float': sum(i ** 0.5 for i in range(100)),
        }, indent=1, ensure_ascii=False))
