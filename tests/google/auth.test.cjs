// Goal: Google's own library gets its tokens here, in each of the ways that it knows without a browser. Method: credentials
// of every kind, pointed at the emulator; one emulator verifies what a key has signed.
'use strict';
const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {base, load} = require('./common.cjs');
const {GoogleAuth, JWT} = load('google-auth-library');
const {SecretManagerServiceClient} = load('@google-cloud/secret-manager');

const scopes = ['https://www.googleapis.com/auth/cloud-platform'];
const guarded = process.env.GUARDED;

function secrets(keyFile) {
  return new SecretManagerServiceClient({keyFile, projectId: 'p1', fallback: true, protocol: 'http',
    apiEndpoint: '127.0.0.1', port: Number(new URL(guarded).port)});
}

test('the metadata server gives a token', async () => {
  process.env.GCE_METADATA_HOST = new URL(base).host;
  process.env.METADATA_SERVER_DETECTION = 'assume-present';
  delete process.env.GOOGLE_APPLICATION_CREDENTIALS;
  process.env.HOME = process.env.FOLDER;  // no credentials of a person
  const auth = new GoogleAuth({scopes});
  assert.match(await auth.getAccessToken(), /^ya29\.emulator-/);
  assert.strictEqual(await auth.getProjectId(), 'p1');
});

test('an external account exchanges its token and impersonates', async () => {
  const subject = path.join(process.env.FOLDER, 'subject');
  fs.writeFileSync(subject, 'subject-token');
  const auth = new GoogleAuth({scopes, credentials: {
    type: 'external_account', audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', token_url: `${base}/v1/token`,
    service_account_impersonation_url: `${base}/v1/projects/-/serviceAccounts/me@p1.iam.gserviceaccount.com:generateAccessToken`,
    credential_source: {file: subject}}});
  const client = await auth.getClient();
  assert.match((await client.getAccessToken()).token, /^ya29\.emulator-/);
});

test('a key signs for itself, and only that key gets in', async () => {
  const client = secrets(process.env.KEY);
  await client.createSecret({parent: 'projects/p1', secretId: 'guarded', secret: {replication: {automatic: {}}}});
  const [made] = await client.getSecret({name: 'projects/p1/secrets/guarded'});
  assert.strictEqual(made.name, 'projects/p1/secrets/guarded');

  const {privateKey} = crypto.generateKeyPairSync('rsa', {modulusLength: 2048,
    publicKeyEncoding: {type: 'spki', format: 'pem'}, privateKeyEncoding: {type: 'pkcs8', format: 'pem'}});
  const other = path.join(process.env.FOLDER, 'other.json');
  fs.writeFileSync(other, JSON.stringify({...JSON.parse(fs.readFileSync(process.env.KEY)), private_key: privateKey}));
  await assert.rejects(secrets(other).getSecret({name: 'projects/p1/secrets/guarded'}), /credential/i);
});

test('an assertion of the key is exchanged for a token', async () => {
  const key = JSON.parse(fs.readFileSync(process.env.KEY));
  const jwt = new JWT({email: key.client_email, key: key.private_key, scopes});
  const now = Math.floor(Date.now() / 1000);
  const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = `${encode({alg: 'RS256', typ: 'JWT'})}.${encode({iss: jwt.email, scope: scopes[0], aud: `${guarded}/token`, iat: now, exp: now + 3600})}`;
  const assertion = `${unsigned}.${crypto.sign('RSA-SHA256', Buffer.from(unsigned), key.private_key).toString('base64url')}`;
  const answer = await fetch(`${guarded}/token`, {method: 'POST',
    body: new URLSearchParams({grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion})});
  const token = (await answer.json()).access_token;
  const datasets = headers => fetch(`${guarded}/bigquery/v2/projects/p1/datasets`, {headers});
  assert.strictEqual((await datasets({Authorization: `Bearer ${token}`})).status, 200);
  assert.strictEqual((await datasets({})).status, 401);
});
