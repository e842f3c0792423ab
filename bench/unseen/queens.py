def queens(n, row=0, cols=0, up=0, down=0):
    if row == n:
        return 1
    found, free = 0, ~(cols | up | down) & ((1 << n) - 1)
    while free:
        bit = free & -free
        free ^= bit
        found += queens(n, row + 1, cols | bit, (up | bit) << 1, (down | bit) >> 1)
    return found


words = {}
for i in range(6000):
    word = "w%d" % (i * 7919 % 3001)
    words[word] = words.get(word, 0) + len(word)
sieve = [True] * 20000
for i in range(2, 142):
    if sieve[i]:
        for j in range(i * i, 20000, i):
            sieve[j] = False
print(queens(6), sum(words.values()), sorted(words)[1500], sum(sieve) - 2)
