// Installs the pinned clients into the build folder (once, as the lock file says), starts an emulator on a port of the
// kernel's choice, and one that verifies what a key has signed, and runs the *.test.cjs here against them.
// Usage: node run.cjs SERIN NPM FOLDER
// Exit codes: 0 all passed, 77 skipped because the clients cannot be installed, 1 otherwise.
'use strict';
const {spawn, spawnSync} = require('node:child_process');
const crypto = require('node:crypto');
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

/// An emulator and its address, once it has told it.
async function start(...options) {
  const child = spawn(serin, ['emulate', 'google', '--project', 'p1', ...options], {stdio: ['ignore', 'pipe', 'inherit']});
  const address = await new Promise((resolve, reject) => {
    child.on('exit', code => reject(new Error(`the emulator ended with ${code}`)));
    readline.createInterface({input: child.stdout}).on('line', line => {
      const found = /listens on (http:\S+)/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  return {child, address};
}

/// A service account that exists only here.
function makeKey() {
  const {privateKey} = crypto.generateKeyPairSync('rsa', {
    modulusLength: 2048, publicKeyEncoding: {type: 'spki', format: 'pem'}, privateKeyEncoding: {type: 'pkcs8', format: 'pem'}});
  const file = path.join(folder, 'key.json');
  fs.writeFileSync(file, JSON.stringify({type: 'service_account', project_id: 'p1', private_key_id: '1',
    private_key: privateKey, client_email: 'tests@p1.iam.gserviceaccount.com', client_id: '1'}));
  return file;
}

async function main() {
  if (!install()) return skipped;
  const key = makeKey();
  const started = [];
  try {
    started.push(await start());
    started.push(await start('--credentials', key));
    const tests = fs.readdirSync(__dirname).filter(name => name.endsWith('.test.cjs')).sort()
      .map(name => path.join(__dirname, name));
    return await new Promise(resolve => {
      const run = spawn(process.execPath, ['--test', ...tests], {
        stdio: 'inherit',
        env: {...process.env, EMULATOR: started[0].address, GUARDED: started[1].address, KEY: key, FOLDER: folder,
          CLIENTS: path.join(folder, 'node_modules')},
      });
      run.on('exit', code => resolve(code === 0 ? 0 : 1));
    });
  } finally {
    for (const {child} of started) child.kill('SIGTERM');
  }
}

main().then(code => process.exit(code), error => {
  console.error(error);
  process.exit(1);
});
