// Installs the pinned clients into the build folder (once, as the lock file says), starts an emulator on a port of the
// kernel's choice and runs clients.test.cjs against it. Usage: node run.cjs SERIN NPM FOLDER
// Exit codes: 0 all passed, 77 skipped because the clients cannot be installed, 1 otherwise.
'use strict';
const {spawn, spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

const [serin, npm, folder] = process.argv.slice(2);
const skipped = 77;

function install() {
  const lock = fs.readFileSync(path.join(__dirname, 'package-lock.json'), 'utf8');
  const stamp = path.join(folder, 'installed.lock');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === lock) return true;
  fs.mkdirSync(folder, {recursive: true});
  for (const name of ['package.json', 'package-lock.json'])
    fs.copyFileSync(path.join(__dirname, name), path.join(folder, name));
  const done = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--fetch-retries=1'],
    {cwd: folder, encoding: 'utf8', timeout: 180000});
  if (done.status !== 0) {
    console.log(`skipped: npm ci failed, the clients cannot be installed\n${(done.stderr || '').slice(-800)}`);
    return false;
  }
  fs.writeFileSync(stamp, lock);
  return true;
}

async function main() {
  if (!install()) return skipped;
  const emulator = spawn(serin, ['emulate', 'google', '--project', 'p1'], {stdio: ['ignore', 'pipe', 'inherit']});
  try {
    const address = await new Promise((resolve, reject) => {
      emulator.on('exit', code => reject(new Error(`the emulator ended with ${code}`)));
      readline.createInterface({input: emulator.stdout}).on('line', line => {
        const found = /listens on (http:\S+)/.exec(line);
        if (found) resolve(found[1]);
      });
    });
    const tests = fs.readdirSync(__dirname).filter(name => name.endsWith('.test.cjs')).sort()
      .map(name => path.join(__dirname, name));
    return await new Promise(resolve => {
      const run = spawn(process.execPath, ['--test', ...tests], {
        stdio: 'inherit',
        env: {...process.env, EMULATOR: address, CLIENTS: path.join(folder, 'node_modules')},
      });
      run.on('exit', code => resolve(code === 0 ? 0 : 1));
    });
  } finally {
    emulator.kill('SIGTERM');
  }
}

main().then(code => process.exit(code), error => {
  console.error(error);
  process.exit(1);
});
