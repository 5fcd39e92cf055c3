// node story.mjs ADDRESS: the story, told as one JSON object on standard output.
import http from "node:http";
import Stripe from "stripe";

const address = new URL(process.argv[2]);
const stripe = new Stripe("sk_test_simulator", {
  host: address.hostname, port: address.port, protocol: "http", telemetry: false, maxNetworkRetries: 0,
});

// Every webhook, verified as the documentation says.
const verified = [], forged = [], types = new Set();
let secret;
const receiver = http.createServer((request, answer) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    try {
      const event = stripe.webhooks.constructEvent(Buffer.concat(parts), request.headers["stripe-signature"], secret);
      verified.push(event.id);
      types.add(event.type);
      answer.writeHead(200).end();
    } catch (error) {
      forged.push(String(error));
      answer.writeHead(400).end();
    }
  });
});
await new Promise((done) => receiver.listen(0, "127.0.0.1", done));
const endpoint = await stripe.webhookEndpoints.create({
  url: `http://127.0.0.1:${receiver.address().port}/hook`, enabled_events: ["*"],
});
secret = endpoint.secret;

// A button on one of the simulator's pages.
async function press(path, fields) {
  const page = await fetch(new URL(path, address));
  const cookie = page.headers.get("set-cookie").split(";")[0];
  const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(await page.text())[1];
  const { to = path, ...typed } = fields;
  return fetch(new URL(to, address), {
    method: "POST", redirect: "manual", headers: { cookie, referer: address.href },
    body: new URLSearchParams({ csrfmiddlewaretoken: token, ...typed }),
  });
}

async function errorOf(asked) {
  try {
    await asked;
    return null;
  } catch (error) {
    return { type: error.type, code: error.code };
  }
}

const product = await stripe.products.create({ name: "Pro" });
const price = (amount, interval) =>
  stripe.prices.create({ product: product.id, currency: "eur", unit_amount: amount, recurring: { interval } });
const [month, year, extra] = [await price(1900, "month"), await price(19000, "year"), await price(500, "month")];
const story = { year: year.id };

// It buys.
const customer = await stripe.customers.create({ email: "ada@example.com" });
const session = await stripe.checkout.sessions.create({
  mode: "subscription", customer: customer.id, line_items: [{ price: month.id, quantity: 1 }],
  success_url: "https://shop.example/?session={CHECKOUT_SESSION_ID}",
});
await press(new URL(session.url).pathname, { action: "card" });
const paid = await stripe.checkout.sessions.retrieve(session.id, { expand: ["subscription"] });
story.bought = { session: paid.status, payment: paid.payment_status, subscription: paid.subscription.status };
const subscription = paid.subscription.id;

// It renews.
await press("/", { to: "/act/", verb: "renew", id: subscription });
const invoices = await stripe.invoices.list({ subscription, status: "paid" });
story.renewed = invoices.data.map((invoice) => invoice.billing_reason);

// It changes.
const [item] = (await stripe.subscriptionItems.list({ subscription })).data;
const changed = await stripe.subscriptions.update(subscription, {
  items: [{ id: item.id, price: year.id }], proration_behavior: "always_invoice",
});
story.changed = { price: changed.items.data[0].price.id, interval: changed.items.data[0].price.recurring.interval };

// It cancels, thinks better of it, and cancels for good.
const scheduled = await stripe.subscriptions.update(subscription, { cancel_at_period_end: true });
const resumed = await stripe.subscriptions.update(subscription, { cancel_at_period_end: false });
const ended = await stripe.subscriptions.cancel(subscription);
story.canceled = {
  scheduled: scheduled.cancel_at_period_end, resumed: resumed.cancel_at_period_end, status: ended.status,
};

// The same without Checkout.
const other = await stripe.customers.create({
  payment_method: "pm_card_visa", invoice_settings: { default_payment_method: "pm_card_visa" },
});
const made = await stripe.subscriptions.create({ customer: other.id, items: [{ price: month.id }] });
const added = await stripe.subscriptionItems.create({ subscription: made.id, price: extra.id, quantity: 2 });
const both = await stripe.subscriptions.retrieve(made.id);
await stripe.subscriptionItems.del(added.id);
const one = await stripe.subscriptions.retrieve(made.id);
story.by_api = { status: made.status, items: both.items.data.length, afterwards: one.items.data.length };

// What goes wrong, as the SDK's errors.
story.declined = await errorOf(stripe.paymentIntents.create({
  amount: 2000, currency: "eur", payment_method: "pm_card_chargeDeclined", confirm: true,
}));
story.refused = await errorOf(stripe.customers.create({ colour: "red" }));

// Until everything that was sent has arrived.
story.sent = [];
for await (const event of stripe.events.list({ limit: 100 })) story.sent.push(event.id);
const patience = Date.now() + 30_000;
while (Date.now() < patience && !story.sent.every((id) => verified.includes(id))) {
  await new Promise((done) => setTimeout(done, 100));
}
receiver.close();
console.log(JSON.stringify({ ...story, verified, forged, types: [...types] }));
process.exit(0);
