// Goal: the official clients of Pub/Sub, Firestore, Secret Manager, Monitoring and Cloud Run work against the emulator.
// Method: their ordinary calls over REST, as 127.0.0.1 without an account.
'use strict';
const assert = require('node:assert');
const {test} = require('node:test');
const {base, load, auth, rest, port} = require('./common.cjs');

test('pub/sub publishes, pulls and acknowledges', async () => {
  const {v1, PubSub} = load('@google-cloud/pubsub');
  const publisher = new v1.PublisherClient(rest);
  const subscriber = new v1.SubscriberClient(rest);
  const topic = 'projects/p1/topics/node-topic';
  const subscription = 'projects/p1/subscriptions/node-sub';
  await publisher.createTopic({name: topic});
  await subscriber.createSubscription({name: subscription, topic, ackDeadlineSeconds: 10});
  const [sent] = await publisher.publish({topic, messages: [{data: Buffer.from('hello'), attributes: {a: 'b'}}]});
  assert.strictEqual(sent.messageIds.length, 1);
  const [pulled] = await subscriber.pull({subscription, maxMessages: 10});
  assert.strictEqual(pulled.receivedMessages[0].message.data.toString(), 'hello');
  assert.strictEqual(pulled.receivedMessages[0].message.attributes.a, 'b');
  await subscriber.modifyAckDeadline({subscription, ackIds: [pulled.receivedMessages[0].ackId], ackDeadlineSeconds: 0});
  const [again] = await subscriber.pull({subscription, maxMessages: 10});
  await subscriber.acknowledge({subscription, ackIds: [again.receivedMessages[0].ackId]});
  const [none] = await subscriber.pull({subscription, maxMessages: 10});
  assert.strictEqual((none.receivedMessages || []).length, 0);
  const [topics] = await publisher.listTopics({project: 'projects/p1'});
  assert.deepStrictEqual(topics.map(t => t.name), [topic]);

  const high = new PubSub({...rest, apiEndpoint: base});
  const id = await high.topic('node-topic').publishMessage({data: Buffer.from('high')});
  assert.ok(id);
  const [last] = await subscriber.pull({subscription, maxMessages: 1});
  assert.strictEqual(last.receivedMessages[0].message.data.toString(), 'high');
});

test('firestore creates, updates, reads in a transaction and deletes', async () => {
  const {Firestore, FieldValue} = load('@google-cloud/firestore');
  const db = new Firestore({projectId: 'p1', preferRest: true, host: `127.0.0.1:${port}`, ssl: false, auth});
  const doc = db.doc('locks/one');
  const made = await doc.create({holder: 'a', n: 1, tags: ['x'], at: new Date(0)});
  await assert.rejects(doc.create({holder: 'b'}), error => /already exists/i.test(error.message));
  await doc.update({holder: 'b'}, {lastUpdateTime: made.writeTime});
  await assert.rejects(doc.update({holder: 'c'}, {lastUpdateTime: made.writeTime}));
  await doc.update({n: FieldValue.increment(2), seen: FieldValue.serverTimestamp()});
  const found = await doc.get();
  assert.strictEqual(found.get('holder'), 'b');
  assert.strictEqual(found.get('n'), 3);
  assert.ok(found.get('seen').toMillis() > 0);
  const value = await db.runTransaction(async transaction => {
    const inside = await transaction.get(doc);
    transaction.update(doc, {n: inside.get('n') + 1});
    return inside.get('n');
  });
  assert.strictEqual(value, 3);
  await db.doc('locks/two').set({n: 10, tags: ['y']});
  const query = await db.collection('locks').where('n', '>=', 4).orderBy('n', 'desc').limit(5).get();
  assert.deepStrictEqual(query.docs.map(d => d.id), ['two', 'one']);
  await doc.delete();
  assert.strictEqual((await doc.get()).exists, false);
});

test('secret manager adds and accesses versions with their checksum', async () => {
  const {SecretManagerServiceClient} = load('@google-cloud/secret-manager');
  const client = new SecretManagerServiceClient(rest);
  await client.createSecret({parent: 'projects/p1', secretId: 'key', secret: {replication: {automatic: {}}}});
  const [version] = await client.addSecretVersion({parent: 'projects/p1/secrets/key', payload: {data: Buffer.from('s3')}});
  assert.strictEqual(version.name, 'projects/p1/secrets/key/versions/1');
  const [got] = await client.accessSecretVersion({name: 'projects/p1/secrets/key/versions/latest'});
  assert.strictEqual(got.payload.data.toString(), 's3');
  assert.ok(Number(got.payload.dataCrc32c) > 0);
  const [versions] = await client.listSecretVersions({parent: 'projects/p1/secrets/key'});
  assert.strictEqual(versions[0].state, 'ENABLED');
  await client.disableSecretVersion({name: version.name});
  await assert.rejects(client.accessSecretVersion({name: version.name}));
  await assert.rejects(client.accessSecretVersion({name: 'projects/p1/secrets/none/versions/1'}));
});

test('monitoring writes and reads a time series', async () => {
  const {MetricServiceClient} = load('@google-cloud/monitoring');
  const client = new MetricServiceClient(rest);
  const end = Math.floor(Date.now() / 1000);
  await client.createTimeSeries({name: 'projects/p1', timeSeries: [{
    metric: {type: 'custom.googleapis.com/node', labels: {k: 'v'}}, resource: {type: 'global', labels: {project_id: 'p1'}},
    points: [{interval: {endTime: {seconds: end}}, value: {doubleValue: 2.5}}]}]});
  const [series] = await client.listTimeSeries({name: 'projects/p1', filter: 'metric.type = "custom.googleapis.com/node"',
    interval: {startTime: {seconds: end - 60}, endTime: {seconds: end + 1}}});
  assert.strictEqual(series.length, 1);
  assert.strictEqual(series[0].points[0].value.doubleValue, 2.5);
  const [descriptor] = await client.getMetricDescriptor({name: 'projects/p1/metricDescriptors/custom.googleapis.com/node'});
  assert.strictEqual(descriptor.valueType, 'DOUBLE');
});

test('cloud run makes, reads and changes a service, and runs a job', async () => {
  const {ServicesClient, JobsClient, RevisionsClient, protos} = load('@google-cloud/run');
  const {State} = protos.google.cloud.run.v2.Condition;
  const services = new ServicesClient(rest);
  const parent = 'projects/p1/locations/us-central1';
  const [making] = await services.createService({parent, serviceId: 'api', service: {template: {containers: [{image: 'one'}]}}});
  const [made] = await making.promise();
  assert.strictEqual(made.terminalCondition.state, State.CONDITION_SUCCEEDED);
  const first = made.latestReadyRevision.split('/').pop();
  const [service] = await services.getService({name: `${parent}/services/api`});
  const [changing] = await services.updateService({
    service: {name: service.name, etag: service.etag, template: {containers: [{image: 'two'}]},
      traffic: [{type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: first, percent: 90},
        {type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', percent: 10}]},
    updateMask: {paths: ['template', 'traffic']}});
  const [changed] = await changing.promise();
  assert.notStrictEqual(changed.latestReadyRevision, made.latestReadyRevision);
  assert.strictEqual(changed.trafficStatuses[0].percent, 90);
  await assert.rejects(services.updateService({service: {name: service.name, etag: service.etag}}));
  const [revisions] = await new RevisionsClient(rest).listRevisions({parent: service.name});
  assert.strictEqual(revisions.length, 2);

  // As a rollout does it: a candidate at 0 % with an address of its own, then shares by names of revisions.
  const byName = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION';
  const [before] = await services.getService({name: service.name});
  const [starting] = await services.updateService({
    service: {name: service.name, etag: before.etag, template: {revision: 'api-v3', containers: [{image: 'three'}]},
      traffic: [{type: byName, revision: first, percent: 100}, {type: byName, revision: 'api-v3', percent: 0, tag: 'v3'}]},
    updateMask: {paths: ['template', 'traffic']}});
  const [started] = await starting.promise();
  assert.strictEqual(started.trafficStatuses[1].percent, 0);
  assert.match(started.trafficStatuses[1].uri, /^https:\/\/v3---/);
  assert.strictEqual(Number(started.observedGeneration), Number(started.generation));
  assert.strictEqual(started.reconciling, false);
  const shift = {service: {name: service.name, etag: started.etag,
    traffic: [{type: byName, revision: first, percent: 95}, {type: byName, revision: 'api-v3', percent: 5, tag: 'v3'}]},
  updateMask: {paths: ['traffic']}};
  const [shifting] = await services.updateService(shift);
  const [shifted] = await shifting.promise();
  assert.deepStrictEqual(shifted.trafficStatuses.map(one => [one.revision, one.percent]), [[first, 95], ['api-v3', 5]]);
  assert.strictEqual(shifted.template.containers[0].image, 'three');
  await assert.rejects(services.updateService(shift), error => /Conflict for resource/.test(error.message));

  const jobs = new JobsClient(rest);
  const [job] = await jobs.createJob({parent, jobId: 'nightly', job: {template: {taskCount: 2, template: {containers: [{image: 'job'}]}}}});
  await job.promise();
  const [running] = await jobs.runJob({name: `${parent}/jobs/nightly`});
  const [execution] = await running.promise();
  assert.strictEqual(execution.succeededCount, 2);
});
