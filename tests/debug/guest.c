struct point { int x; int y; };

static int total = 7;

__attribute__((noinline)) static int area(struct point a, int scale) {
    int width = a.x * scale;
    int height = a.y * scale;
    total += width;
    return width * height;
}

__attribute__((noinline)) int sum(int n) {
    int result = 0;
    double half = 0.5;
    for (int i = 0; i < n; i++) {
        struct point p = { i, i + 1 };
        result += area(p, 2);
        half *= 1.5;
    }
    return result + (int)half + total;
}

__attribute__((export_name("run"))) int run(int n) {
    int doubled = n * 2;
    int answer = sum(doubled);
    return answer;
}
