#include "admin_page.hpp"

namespace serin::fleet {

std::string_view admin_page() noexcept {
  return R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fleet dashboard</title>
<style>
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem; }
  h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  form { display: flex; gap: .5rem; flex-wrap: wrap; align-items: end; }
  label { display: grid; font-size: .85rem; }
  input, button { font: inherit; padding: .35rem .6rem; }
  table { border-collapse: collapse; width: 100%; } td, th { border-bottom: 1px solid var(--line); padding: .35rem .5rem; text-align: left; }
  td.number { text-align: right; font-variant-numeric: tabular-nums; }
  .pass { color: #18794e; } .warn { color: #ad5700; } .fail { color: #c62a2f; } .not_evaluated { opacity: .7; }
  [role=alert] { color: #c62a2f; }
</style>
</head>
<body>
<h1>Fleet dashboard</h1>
<form id="ask">
  <label>Key <input id="key" type="password" autocomplete="current-password" required></label>
  <label>Date <input id="date" type="date"></label>
  <button>Show</button>
</form>
<p role="alert" id="error"></p>
<main id="main" hidden>
  <h2>Batches</h2><table id="batches"></table>
  <h2>Coverage</h2><table id="coverage"></table>
  <h2>Games</h2><table id="games"></table>
  <h2>Grading</h2><table id="grading"></table>
</main>
<script>
const by = id => document.getElementById(id);
const cell = (value, kind) => { const td = document.createElement('td'); td.textContent = value ?? ''; if (typeof value === 'number') td.className = 'number'; if (kind) td.className = kind; return td; };
function table(id, head, rows, empty) {
  const t = by(id); t.replaceChildren();
  if (!rows.length) { t.append(document.createElement('tr')); t.rows[0].append(cell(empty)); return; }
  const h = t.insertRow(); for (const name of head) { const th = document.createElement('th'); th.textContent = name; h.append(th); }
  for (const row of rows) t.insertRow().append(...row);
}
async function get(path) {
  const answer = await fetch(path, {headers: {Authorization: 'Bearer ' + by('key').value}});
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(answer.status === 401 ? 'The key is wrong.' : `${path}: ${answer.status} ${body.detail ?? ''}`);
  return body;
}
by('key').value = sessionStorage.getItem('key') ?? '';
by('ask').addEventListener('submit', async event => {
  event.preventDefault(); by('error').textContent = '';
  try {
    const status = await get('/api/status');
    sessionStorage.setItem('key', by('key').value);
    if (!by('date').value) by('date').value = status.batches[0]?.game_date ?? new Date().toISOString().slice(0, 10);
    const date = by('date').value;
    const [coverage, games, grading] = await Promise.all([get('/api/coverage?date=' + date), get('/api/games/' + date), get('/api/grading?date=' + date)]);
    table('batches', ['batch', 'state', 'expected', 'predicted', 'skipped', 'dead'], status.batches.map(b => [cell(b.batch_id), cell(b.state), cell(b.expected), cell(b.predicted), cell(b.skipped), cell(b.dead)]), 'No batch yet.');
    table('coverage', ['sport', 'verdict', 'why'], coverage.sports.map(s => [cell(s.sport), cell(s.verdict, s.verdict), cell(s.reason)]), '');
    table('games', ['game', 'sport', 'away', 'home', 'status', 'predictions'], games.games.map(g => [cell(g.game_id), cell(g.sport), cell(g.away_team), cell(g.home_team), cell(g.status), cell(g.predictions)]), 'No games on this date.');
    table('grading', ['sport', 'model', 'graded', 'mean error', 'right', 'wrong', 'void'], grading.models.map(m => [cell(m.sport), cell(m.system_id), cell(m.graded), cell(m.absolute_error === undefined ? '' : m.absolute_error.toFixed(2)), cell(m.right), cell(m.wrong), cell(m.void)]), 'Nothing graded on this date.');
    by('main').hidden = false;
  } catch (error) { by('error').textContent = error.message; }
});
if (by('key').value) by('ask').requestSubmit();
</script>
</body>
</html>
)html";
}

}  // namespace serin::fleet
