typedef struct bed { int size; unsigned char kind; struct bed *next; long total[8]; } bed;
static int table[256];
int sum(bed *b, int n) { int s = 0; while (b) { for (int i = 0; i < 8; i++) s += (int)(b->total[i] * n) >> (i & 3); b = b->next; } return s; }
void sort(int *a, int n) { for (int i = 1; i < n; i++) { int x = a[i], j = i; while (j > 0 && a[j - 1] > x) { a[j] = a[j - 1]; j--; } a[j] = x; } }
unsigned crc(const unsigned char *p, unsigned n) { unsigned c = ~0u; while (n--) { c ^= *p++; for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1; } return ~c; }
float mix(float a, float b, float t) { return a + (b - a) * (t < 0 ? 0 : t > 1 ? 1 : t); }
int find(const char *s, const char *w) { for (int i = 0; s[i]; i++) { int j = 0; while (w[j] && s[i + j] == w[j]) j++; if (!w[j]) return i; } return -1; }
int step(int state, int c) { switch (state) { case 0: return c == '"' ? 1 : c == '/' ? 2 : 0; case 1: return c == '\\' ? 3 : c == '"' ? 0 : 1; case 2: return c == '*' ? 4 : 0; case 3: return 1; case 4: return c == '*' ? 5 : 4; default: return c == '/' ? 0 : 4; } }
void fill(void) { for (int i = 0; i < 256; i++) { table[i] = i * i % 251; for (int j = 0; j < i; j += 3) table[i] ^= table[j] + j; } }
