// Says the same few things through one of the Node SDKs: node say.mjs <client> <address> <key> <path of Snowplow's collector>
// Prints one JSON object: how many calls succeeded, and the statuses that failed.
const [client, address, key] = process.argv.slice(2);
const failed = [];
const order = { order_id: 'O-1', total: 129.5, currency: 'CNY', products: [{ product_id: 'P1', quantity: 1, price: 129.5 }] };
const said = [];

async function segment() {
  const { Analytics } = await import('@segment/analytics-node');
  const sdk = new Analytics({ writeKey: key, host: address, flushAt: 3, flushInterval: 100, maxRetries: 2 });
  sdk.on('error', (error) => failed.push(String(error.code)));
  for (const call of [
    (done) => sdk.identify({ userId: 'u-1001', traits: { plan: 'gold' } }, done),
    (done) => sdk.track({ userId: 'u-1001', event: 'Order Completed', properties: order }, done),
    (done) => sdk.page({ userId: 'u-1001', name: 'Sale', properties: { url: 'https://shop.example/sale' } }, done),
    (done) => sdk.track({ userId: 'u-1001', event: 'Product Viewed', properties: { product_id: 'P2' } }, done),
    (done) => sdk.track({ userId: 'u-who-said-nothing', event: 'Product Viewed', properties: { product_id: 'P2' } }, done),
  ]) {
    said.push(new Promise((resolve) => call((error) => resolve(!error))));
  }
  await sdk.closeAndFlush({ timeout: 90000 });
}

async function rudderstack() {
  const { default: Analytics } = await import('@rudderstack/rudder-sdk-node');
  const sdk = new Analytics(key, { dataPlaneUrl: address, flushAt: 3, flushInterval: 100, logLevel: 'silent', retryCount: 2, errorHandler: (error) => failed.push(String(error.response?.status ?? error.code)) });
  for (const call of [
    (done) => sdk.identify({ userId: 'u-1001', traits: { plan: 'gold' } }, done),
    (done) => sdk.track({ userId: 'u-1001', event: 'Order Completed', properties: order }, done),
    (done) => sdk.page({ userId: 'u-1001', name: 'Sale', properties: { url: 'https://shop.example/sale' } }, done),
    (done) => sdk.track({ userId: 'u-1001', event: 'Product Viewed', properties: { product_id: 'P2' } }, done),
    (done) => sdk.track({ userId: 'u-who-said-nothing', event: 'Product Viewed', properties: { product_id: 'P2' } }, done),
  ]) {
    said.push(new Promise((resolve) => call((error) => resolve(!error))));
  }
  await sdk.flush();
}

async function snowplow() {
  const { newTracker, buildPageView, buildSelfDescribingEvent, buildStructEvent } = await import('@snowplow/node-tracker');
  let heard = 0;
  const delivered = (batch) => {
    heard += batch.length;
    for (let each = 0; each < batch.length; each += 1) said.push(true);
  };
  const refused = (failure) => {
    heard += failure.events.length;
    failed.push(String(failure.status ?? failure.message));
  };
  const tracker = newTracker({ namespace: 'ns', appId: 'shop', encodeBase64: true }, {
    endpoint: `${address}/c/${key}`,
    eventMethod: 'post',
    bufferSize: 1,
    onRequestSuccess: delivered,
    onRequestFailure: refused,
  });
  const viewed = { schema: 'iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1', data: { targetUrl: 'https://shop.example/p/1' } };
  for (const user of ['u-1001', 'u-who-said-nothing']) {
    tracker.setUserId(user);
    tracker.track(buildPageView({ pageUrl: 'https://shop.example/sale', pageTitle: 'Sale' }));
    if (user !== 'u-1001') continue;
    tracker.track(buildStructEvent({ category: 'shop', action: 'add-to-basket', label: 'P2', property: 'pcs', value: 2 }));
    tracker.track(buildSelfDescribingEvent({ event: viewed }));
  }
  for (let waited = 0; heard < 4 && waited < 900; waited += 1) await new Promise((resolve) => setTimeout(resolve, 100));
}

await { segment, rudderstack, snowplow }[client]();
const outcomes = await Promise.all(said);
console.log(JSON.stringify({ succeeded: outcomes.filter(Boolean).length, failed }));
process.exit(0);
