// Goal: @google-cloud/bigquery works against the emulator as against Google. Method: ordinary calls, and the log of what
// it sent for the shapes that were recorded from the real service.
'use strict';
const assert = require('node:assert');
const {test, before} = require('node:test');
const {base, load, authClient, requests, fault} = require('./common.cjs');
const {BigQuery} = load('@google-cloud/bigquery');

const bq = new BigQuery({projectId: 'p1', apiEndpoint: base, authClient});
const dataset = bq.dataset('node');
const table = dataset.table('people');

before(async () => {
  await dataset.create();
  await table.create({schema: [
    {name: 'id', type: 'INTEGER', mode: 'REQUIRED'}, {name: 'name', type: 'STRING'}, {name: 'born', type: 'DATE'},
    {name: 'seen', type: 'TIMESTAMP'}, {name: 'height', type: 'FLOAT'}, {name: 'active', type: 'BOOLEAN'}]});
});

test('a query with parameters of many types', async () => {
  await requests();
  const [rows] = await bq.query({
    query: 'SELECT @a AS a, @s AS s, @f AS f, @b AS b, @d AS d, @n AS n, (SELECT SUM(x) FROM UNNEST(@l) AS x) AS l',
    params: {a: 5, s: 'text', f: 1.5, b: true, d: bq.date('2026-01-31'), n: null, l: [1, 2, 3]},
    types: {n: 'STRING'},
  });
  assert.deepStrictEqual(JSON.parse(JSON.stringify(rows)),
    [{a: 5, s: 'text', f: 1.5, b: true, d: {value: '2026-01-31'}, n: null, l: 6}]);
  const [call] = await requests();
  assert.strictEqual(call.method, 'POST');
  assert.strictEqual(call.path, '/bigquery/v2/projects/p1/queries');
  assert.strictEqual(call.body.useLegacySql, false);
  assert.ok(call.body.requestId);
});

test('positional parameters and a timestamp', async () => {
  const [rows] = await bq.query({query: 'SELECT ? AS a, TIMESTAMP_MICROS(?) AS t', params: ['x', 1767225600123456]});
  assert.strictEqual(rows[0].a, 'x');
  assert.strictEqual(rows[0].t.value, '2026-01-01T00:00:00.123456000Z');
});

test('rows are inserted, listed in pages and queried', async () => {
  await table.insert([
    {id: 1, name: 'Ann', born: '2000-01-31', seen: '2026-01-01T10:00:00Z', height: 1.7, active: true},
    {id: 2, name: 'Bob', born: null, seen: null, height: null, active: false},
    {id: 3, name: 'Cyd', born: null, seen: null, height: null, active: null}]);
  const [rows] = await table.getRows();
  assert.strictEqual(rows.length, 3);
  assert.strictEqual(rows[0].seen.value, '2026-01-01T10:00:00.000Z');
  assert.strictEqual(rows[0].height, 1.7);
  const [page, next] = await table.getRows({maxResults: 2, autoPaginate: false});
  assert.strictEqual(page.length, 2);
  const [rest] = await table.getRows(next);
  assert.deepStrictEqual(rest.map(row => row.id), [3]);
  const [named] = await bq.query({query: 'SELECT name FROM node.people WHERE active ORDER BY id', defaultDataset: dataset});
  assert.deepStrictEqual(named, [{name: 'Ann'}]);
});

test('a row that does not fit is refused with the place of its error', async () => {
  await assert.rejects(table.insert([{id: 'x'}, {id: 9, nope: 1}]), error => {
    assert.strictEqual(error.name, 'PartialFailureError');
    assert.strictEqual(error.errors.length, 2);
    return true;
  });
});

test('a job is made, waited for and paged', async () => {
  const [job] = await bq.createQueryJob({query: 'SELECT x FROM UNNEST([1,2,3,4,5]) AS x ORDER BY x', labels: {k: 'v'}});
  const [rows] = await job.getQueryResults({maxResults: 2});
  assert.deepStrictEqual(rows.map(row => row.x), [1, 2]);
  const [all] = await job.getQueryResults({autoPaginate: true, maxResults: 2});
  assert.ok(all.length >= 2);
  const [metadata] = await job.getMetadata();
  assert.strictEqual(metadata.status.state, 'DONE');
  assert.strictEqual(metadata.configuration.labels.k, 'v');
});

test('a job that is not complete yet is asked again', async () => {
  await requests();
  await fault({method: 'POST', path: '*/jobs', pending: 2});
  const [job] = await bq.createQueryJob('SELECT 42 AS x');
  const [rows] = await job.getQueryResults();
  assert.deepStrictEqual(rows, [{x: 42}]);
  const polls = (await requests()).filter(call => call.method === 'GET');
  assert.ok(polls.length >= 2, 'it was held back');
});

test('a dry run tells schema and bytes and keeps no job', async () => {
  const [job] = await bq.createQueryJob({query: 'SELECT id, name FROM node.people', dryRun: true});
  assert.strictEqual(Number(job.metadata.statistics.totalBytesProcessed) > 0, true);
  assert.deepStrictEqual(job.metadata.statistics.query.schema.fields.map(f => f.type), ['INTEGER', 'STRING']);
});

test('errors have code, reason and message', async () => {
  await assert.rejects(bq.query('SELECT * FROM node.nothing'), error => {
    assert.strictEqual(error.code, 404);
    assert.strictEqual(error.errors[0].reason, 'notFound');
    return true;
  });
  await assert.rejects(bq.query('SELEC 1'), error => error.code === 400 && error.errors[0].reason === 'invalidQuery');
  await assert.rejects(dataset.create(), error => error.code === 409);
});

test('the client repeats after a 503 and gets its answer', async () => {
  await requests();
  await fault({method: 'GET', path: '*/datasets/node', status: 503, reason: 'backendError'});
  const [metadata] = await dataset.getMetadata();
  assert.strictEqual(metadata.datasetReference.datasetId, 'node');
  assert.strictEqual((await requests()).length, 2);
});

test('a merge and a transaction in a session', async () => {
  const [job] = await bq.createQueryJob({query: 'SELECT 1 AS x', createSession: true});
  const [metadata] = await job.getMetadata();
  const session = metadata.statistics.sessionInfo.sessionId;
  const run = async query => bq.query({query, connectionProperties: [{key: 'session_id', value: session}]});
  await run('BEGIN TRANSACTION');
  await run('MERGE node.people T USING (SELECT 1 AS id, "New" AS name) S ON T.id = S.id ' +
            'WHEN MATCHED THEN UPDATE SET name = S.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (id, name)');
  const [outside] = await bq.query('SELECT name FROM node.people WHERE id = 1');
  assert.strictEqual(outside[0].name, 'Ann');
  await run('COMMIT TRANSACTION');
  const [after] = await bq.query('SELECT name FROM node.people WHERE id = 1');
  assert.strictEqual(after[0].name, 'New');
});

test('datasets and tables are listed, changed and deleted', async () => {
  const [tables] = await dataset.getTables();
  assert.deepStrictEqual(tables.map(t => t.id), ['people']);
  await table.setMetadata({description: 'people', labels: {a: 'b'}});
  const [metadata] = await table.getMetadata();
  assert.strictEqual(metadata.description, 'people');
  assert.strictEqual(metadata.numRows, '3');
  await table.delete();
  const [found] = await table.exists();
  assert.strictEqual(found, false);
  await dataset.delete({force: true});
});
