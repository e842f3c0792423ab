WITH RECURSIVE tree AS (SELECT id, parent, 1 AS depth FROM nodes WHERE parent IS NULL UNION ALL
  SELECT n.id, n.parent, t.depth + 1 FROM nodes n JOIN tree t ON n.parent = t.id WHERE t.depth < 10)
SELECT t.id, count(*) FILTER (WHERE o.total > 100.5) AS large, sum(o.total * (1 - coalesce(o.discount, 0))) OVER
  (PARTITION BY t.depth ORDER BY o.made DESC ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS running,
  CASE WHEN o.state IN ('new', 'paid') THEN 'open' WHEN o.state LIKE 'can%' THEN 'gone' ELSE o.state::text END
FROM tree t LEFT JOIN LATERAL (SELECT * FROM orders o WHERE o.node = t.id AND o.made >= now() - interval '3 days') o ON true
WHERE EXISTS (SELECT 1 FROM tags WHERE tags.node = t.id AND tags.name = ANY (ARRAY['a', 'b', $1])) AND NOT t.id BETWEEN 5 AND 9
GROUP BY t.id, t.depth, o.total, o.discount, o.made, o.state HAVING max(o.total) > 3 ORDER BY 2 DESC NULLS LAST, t.id LIMIT 20 OFFSET 5;
INSERT INTO log (at, what) VALUES (now(), $2), (now(), 'x') ON CONFLICT (at) DO UPDATE SET what = excluded.what RETURNING *;
