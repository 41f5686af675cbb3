// What the tests of the clients share: where the emulator is, and options that need no account.
'use strict';
const {createRequire} = require('node:module');
const path = require('node:path');

const base = process.env.EMULATOR;
const load = createRequire(path.join(process.env.CLIENTS, 'x.js'));
const {PassThroughClient, GoogleAuth} = load('google-auth-library');
const port = Number(new URL(base).port);
const authClient = new PassThroughClient();
const auth = new GoogleAuth({authClient, projectId: 'p1'});
const rest = {projectId: 'p1', fallback: true, protocol: 'http', apiEndpoint: '127.0.0.1', port, auth};

/// What the emulator was asked since the last call.
async function requests() {
  const answer = await fetch(`${base}/emulator/requests`);
  const list = (await answer.json()).requests;
  await fetch(`${base}/emulator/requests`, {method: 'DELETE'});
  return list;
}
/// Stages a fault.
async function fault(what) {
  const answer = await fetch(`${base}/emulator/faults`, {method: 'POST', body: JSON.stringify(what)});
  if (answer.status !== 200) throw new Error(await answer.text());
}

module.exports = {base, load, authClient, auth, rest, port, requests, fault};
