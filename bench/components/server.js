import { work } from './work.js';
addEventListener('fetch', (event) => event.respondWith((async () => {
  const url = new URL(event.request.url);
  const body = event.request.method === 'POST' ? await event.request.text() : '';
  const n = Number(url.searchParams.get('n') ?? 10);
  const json = JSON.stringify({ path: url.pathname, n, echo: body.length, sum: [...body].reduce((s, c) => (s * 31 + c.codePointAt(0)) >>> 0, 7), work: work(n).text });
  return new Response(json + '\n', { status: url.pathname === '/missing' ? 404 : 200, headers: { 'content-type': 'application/json', 'x-n': String(n) } });
})()));
