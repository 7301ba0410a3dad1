// The subject's page. Everything shown is set as text; the token lives in this page's memory and nowhere else.
import { TEXTS } from './texts.js';

const OVER = new Set(['withdrawn', 'overturned', 'repaired', 'endedByDecision', 'expired']);
const GROUNDS = ['notMe', 'wrongFinding', 'cured', 'decisionChanged', 'disproportionate'];
const APPEALABLE = new Set(['published', 'corrected', 'upheld']);

const $ = (id) => document.getElementById(id);
let language = navigator.languages.some((one) => one.startsWith('zh')) ? 'zh' : 'en';
let identificationId;
let token;
let held;
let statistics;
/** What was said since he came: the ledger has it, but what it shows may be a moment older. */
let said = [];

const t = () => TEXTS[language];

/** An element with its properties and children; strings become text. */
function el(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.flat().filter((child) => child !== undefined && child !== false));
  return made;
}

/** Times are China's, whatever zone they were written in. */
const inChina = (time) => (time ? new Date(new Date(time).getTime() + 8 * 3_600_000).toISOString() : '');
const day = (time) => inChina(time).slice(0, 10);
/** The day at whose end a time that ends a term lies. */
const lastDay = (end) => `${day(Date.parse(end) - 1)} 24:00`;
const minute = (time) => inChina(time).slice(0, 16).replace('T', ' ');

function say(text, bad = false) {
  $('message').textContent = text;
  $('message').classList.toggle('bad', bad);
  $('message').hidden = text === '';
}

/** Asks the ledger; a refusal is shown in the reader's language and thrown. */
async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch {
    say(t().broken, true);
    throw new Error('no answer');
  }
  const json = await answer.json();
  if (answer.ok) return json;
  if (answer.status === 401 && token) leave(t().ended);
  else {
    const texts = [json, ...(json.errors ?? [])].map((one) =>
      language === 'zh' ? (one.detailZh ?? one.messageZh) : (one.detail ?? one.message),
    );
    say([...new Set(texts.slice(0, 2))].join(language === 'zh' ? '' : ' '), true);
  }
  throw new Error(json.code);
}

function save(text, type, download) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  el('a', { href, download }).click();
  URL.revokeObjectURL(href);
}

function leave(text = '') {
  [token, held, identificationId] = [];
  said = [];
  $('held').hidden = true;
  $('identify').hidden = false;
  $('proof').hidden = true;
  $('who').hidden = false;
  say(text);
}

/** A button that can't be pressed twice while its work is under way. */
async function once(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch {
    // It was said already.
  } finally {
    button.disabled = false;
  }
}

const fact = (name, ...value) => [el('dt', {}, name), el('dd', {}, ...value)];
const list = (items) =>
  el(
    'ul',
    {},
    items.map((item) => el('li', {}, item)),
  );

const sha256 = async (file) => {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
};

const evidenceOf = (files) =>
  Promise.all(
    [...files].map(async (file) => ({
      sha256: await sha256(file),
      mediaType: file.type || 'application/octet-stream',
    })),
  );

/** What of an entry may be wrong, by its JSON Pointer: a part of it, or that it is about him at all. */
const partsOf = ({ identity, shops, accounts }) => [
  '/identity',
  ...Object.keys(identity ?? {}).flatMap((key) => (t().field[key] ? [`/identity/${key}`] : [])),
  ...(shops ? ['/shops'] : []),
  ...(accounts ? ['/accounts'] : []),
];

/** What is chosen besides the words. */
const choicesOf = (kind, about) => {
  if (kind === 'appeals') return [t().grounds, GROUNDS.map((value) => [value, t().ground[value]])];
  if (kind !== 'corrections') return undefined;
  return [t().part, partsOf(about).map((value) => [value, t().field[value.split('/').at(-1)]])];
};

/** What is sent besides words and documents. */
const bodyOf = (kind, { listingId, position }, choice) => {
  if (kind === 'corrections') return { position, field: choice };
  return kind === 'appeals' ? { listingId, grounds: choice } : { listingId };
};

/** A form to appeal, answer, state or have corrected: opened below what it is about. */
function speak(kind, about, at) {
  const id = `${kind}-${about.listingId ?? about.position}`;
  const [choiceLabel, choices = []] = choicesOf(kind, about) ?? [];
  const words = el('textarea', { id: `${id}-words`, maxLength: 2000, required: true });
  const files = el('input', { id: `${id}-files`, type: 'file', multiple: true });
  const choice = el(
    'select',
    { id: `${id}-choice` },
    choices.map(([value, text]) => el('option', { value }, text)),
  );
  const label = (target, text) => el('label', { htmlFor: target.id }, text);
  const submit = el('button', { type: 'submit' }, t().submit);
  const form = el(
    'form',
    { noValidate: true },
    choiceLabel !== undefined && [label(choice, choiceLabel), choice],
    label(words, kind === 'corrections' ? t().right : t().words),
    words,
    el('p', { className: 'hint' }, t().wordsHint),
    label(files, t().files),
    files,
    el('p', { className: 'hint' }, t().filesHint),
    submit,
    el('button', { type: 'button', className: 'quiet', onclick: () => form.remove() }, t().cancel),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void once(submit, async () => {
      const evidence = await evidenceOf(files.files);
      const body = {
        ...bodyOf(kind, about, choice.value),
        ...((kind !== 'appeals' || words.value.trim() !== '') && { statement: words.value }),
        ...(evidence.length > 0 && { evidence }),
      };
      const answer = await ask('POST', `/public/${kind}`, body);
      said.push({ kind, ...body, ...answer, statedAt: new Date().toISOString() });
      await show(t().done[kind]);
    });
  });
  at.replaceChildren(form);
  (choiceLabel === undefined ? words : choice).focus();
}

function appealOf(appeal) {
  const { grounds, statement, filedAt, due, decision, reasons, decidedAt } = appeal;
  const state = decision
    ? `${t().decision[decision]} (${day(decidedAt)})`
    : due
      ? `${t().due} ${lastDay(due)}`
      : t().state.disputed;
  return [
    `${day(filedAt)} · ${t().ground[grounds] ?? grounds} · ${state}`,
    statement && el('p', { className: 'said' }, statement),
    reasons && el('p', { className: 'said' }, reasons),
  ].filter(Boolean);
}

/** That it was filed in bad faith, why, and what that means. */
function maliceOf({ malicious }) {
  if (!malicious) return [];
  const { foundAt, reasons, liability } = malicious;
  const text = `${t().malicious} (${day(foundAt)})${t().stop}${liability[language]} (${liability.law})`;
  return [el('p', { className: 'plain' }, text), reasons && el('p', { className: 'said' }, reasons)];
}

function listingOf(listing) {
  const { reason, status, publisher, evidence, recipients, statements, appeals } = listing;
  const over = OVER.has(status);
  const label = language === 'zh' ? reason.labelZh : reason.labelEn;
  const forms = el('div');
  const button = (kind, text, className = '') =>
    el('button', { type: 'button', className, onclick: () => speak(kind, listing, forms) }, text);
  return el(
    'article',
    {},
    el(
      'div',
      { className: 'head' },
      el('h3', {}, label ?? reason.code),
      el('span', { className: over ? 'state over' : 'state' }, t().state[status] ?? status),
    ),
    el('p', { className: 'plain' }, over ? t().means.over : t().means[status]),
    ...maliceOf(listing),
    el(
      'dl',
      {},
      fact(t().why, `${label ?? ''} (${reason.code})`),
      fact(t().law, list([...(reason.legalBasis ?? []), ...(listing.decisionNo ? [listing.decisionNo] : [])])),
      fact(t().publisher, publisher.name),
      listing.decidedBy && fact(t().decidedBy, listing.decidedBy),
      fact(t().decidedAt, day(listing.decidedAt)),
      status === 'held'
        ? fact(t().answerUntil, listing.heldUntil && lastDay(listing.heldUntil))
        : [fact(t().since, minute(listing.since)), fact(t().until, day(listing.until))].flat(),
      fact(
        t().evidence,
        list(
          evidence
            .map(({ mediaType, capturedAt, sha256: hash }) => [
              `${mediaType} · ${day(capturedAt)} `,
              el('code', { title: hash }, `${hash.slice(0, 16)}…`),
            ])
            .map((parts) => el('span', {}, parts)),
        ),
      ),
      fact(
        t().recipients,
        recipients.length === 0
          ? t().nobody
          : list([...new Map(recipients.map(({ name, toldAt }) => [name, `${name} · ${minute(toldAt)}`])).values()]),
      ),
      listing.appealUrl &&
        fact(t().howTo, t().howToText, el('a', { href: listing.appealUrl, rel: 'noreferrer' }, listing.appealUrl)),
      fact(t().listingNo, el('code', {}, listing.listingId)),
      appeals.length > 0 &&
        fact(
          t().appeals,
          appeals.map((appeal) => el('div', {}, appealOf(appeal))),
        ),
      statements.length > 0 &&
        fact(
          t().statements,
          statements.map(({ statement, statedAt }) =>
            el('p', { className: 'said' }, `${day(statedAt)} ${statement ?? '—'}`),
          ),
        ),
    ),
    !over && [
      status === 'held' && button('hearings', t().answer),
      APPEALABLE.has(status) && button('appeals', t().appeal),
    ],
    button('statements', t().statement, 'quiet'),
    forms,
  );
}

/** The values of an identity as lines, in the order in which they stand. */
const linesOf = (value) =>
  Object.values(value).flatMap((one) =>
    one === null || one === undefined ? [] : typeof one === 'object' ? linesOf(one) : [String(one)],
  );

function observationOf(observation) {
  const { from, acceptedAt, identity, shops = [], corrections = [] } = observation;
  const form = el('div');
  return el(
    'article',
    {},
    el(
      'dl',
      {},
      fact(t().from, from.name),
      fact(t().reportedAt, minute(acceptedAt)),
      fact(t().data, identity ? list(linesOf({ ...identity, kind: undefined })) : t().notNamed),
      shops.length > 0 && fact('', list(shops.map(({ name }) => name))),
      corrections.length > 0 &&
        fact(
          t().corrections,
          corrections.map(({ field, statement, statedAt }) =>
            el(
              'p',
              { className: 'said' },
              `${day(statedAt)} ${t().field[field.split('/').at(-1)] ?? field}${t().colon}${statement ?? '—'}`,
            ),
          ),
        ),
    ),
    el(
      'button',
      { type: 'button', className: 'quiet', onclick: () => speak('corrections', observation, form) },
      t().correct,
    ),
    form,
  );
}

const named = ({ labelZh, labelEn }, otherwise) => (language === 'zh' ? labelZh : labelEn) ?? otherwise;
const counted = (name, count) => `${name}${t().colon}${count}`;

/** A list under its title; without a line, nothing. */
const by = (title, lines) => (lines.length > 0 ? fact(title, list(lines)) : []);

/** One quarter in numbers; what there was none of isn't shown. */
function quarterOf({ quarter, listed, ended, appeals, reopenings }) {
  const { filed, decided, medianDays, stayed } = appeals;
  const { asked, made } = reopenings;
  const about = [
    filed !== 0 && counted(t().filedOf, filed),
    ...decided.map((one) => counted(named(one, one.decision), one.count)),
    medianDays !== undefined && t().medianOf(medianDays),
    stayed !== 0 && counted(t().stayedOf, stayed),
  ].filter(Boolean);
  const back = [asked !== 0 && counted(t().askedOf, asked), made !== 0 && counted(t().madeOf, made)].filter(Boolean);
  return el(
    'article',
    {},
    el('h3', {}, t().quarter(quarter)),
    el(
      'dl',
      {},
      by(
        t().listedBy,
        listed.map((one) => counted(`${named(one, '')} (${one.code})`.trim(), one.count)),
      ),
      by(
        t().endedBy,
        ended.map((one) => counted(named(one, `${one.status} ${one.cause}`), one.count)),
      ),
      by(t().appealsOf, about),
      by(t().reopeningsOf, back),
    ),
  );
}

const isQuiet = ({ listed, ended, appeals, reopenings }) =>
  listed.length === 0 && ended.length === 0 && [appeals.filed, reopenings.asked].every((count) => count === 0);

function drawStatistics() {
  if (!statistics) return;
  const quiet = statistics.quarters.filter(isQuiet).map(({ quarter }) => t().quarter(quarter));
  $('quarters').replaceChildren(
    ...statistics.quarters.filter((one) => !isQuiet(one)).map(quarterOf),
    ...(quiet.length > 0 ? [el('p', { className: 'hint' }, t().quiet(quiet))] : []),
  );
}

function draw() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.title = `联盾 Liandun · ${t().title}`;
  for (const at of document.querySelectorAll('[data-t]')) at.textContent = t()[at.dataset.t];
  $('language').textContent = t().other;
  $('language').lang = language === 'zh' ? 'en' : 'zh-CN';
  drawStatistics();
  if (!held) return;
  const { listings, observations, inquiries } = held;
  $('summary').textContent = listings.length === 0 ? t().none : t().some(listings.length);
  $('listings').replaceChildren(...listings.map(listingOf));
  $('observations').replaceChildren(...observations.map(observationOf));
  $('inquiries').replaceChildren(
    inquiries.length === 0
      ? el('p', {}, t().noInquiries)
      : list(
          inquiries.map(({ from, askedAt, purpose }) => t().asked(from.name, minute(askedAt), t().purpose[purpose])),
        ),
  );
}

/** Puts what he has said where what is shown lacks it still. */
function put({ kind, appealId, statementId, listingId, position, ...more }) {
  const listing = held.listings.find((one) => one.listingId === listingId);
  if (kind === 'corrections') {
    const entry = held.observations.find((one) => one.position === position);
    if (!entry) return;
    entry.corrections ??= [];
    if (!entry.corrections.some((one) => one.statementId === statementId))
      entry.corrections.push({ statementId, ...more });
  } else if (kind === 'appeals' && listing) {
    if (!listing.appeals.some((one) => one.appealId === appealId)) listing.appeals.push({ appealId, ...more });
    const open = !listing.appeals.find((one) => one.appealId === appealId).decision;
    if (open && APPEALABLE.has(listing.status)) listing.status = 'disputed';
  } else if (listing && !listing.statements.some((one) => one.statementId === statementId)) {
    listing.statements.push({ statementId, ...more });
  }
}

async function show(text = '') {
  held = await ask('GET', '/public/subject');
  for (const one of said) put(one);
  say(text);
  $('identify').hidden = true;
  $('held').hidden = false;
  draw();
  $('held-title').focus();
}

$('language').addEventListener('click', () => {
  language = language === 'zh' ? 'en' : 'zh';
  say('');
  draw();
});

// Asked for once, by whoever wants to see it.
$('statistics').addEventListener('toggle', async () => {
  if (statistics || !$('statistics').open) return;
  try {
    statistics = await ask('GET', '/public/statistics');
    drawStatistics();
  } catch {
    // It was said already.
  }
});

$('who').addEventListener('submit', (event) => {
  event.preventDefault();
  void once(event.submitter, async () => {
    const body = {
      [$('kind').value]: $('number').value.trim().toUpperCase(),
      name: $('name').value.trim(),
      channel: new FormData($('who')).get('channel'),
    };
    ({ identificationId } = await ask('POST', '/public/identifications', body));
    say('');
    $('who').hidden = true;
    $('proof').hidden = false;
    $('code').value = '';
    $('code').focus();
  });
});

$('proof').addEventListener('submit', (event) => {
  event.preventDefault();
  void once(event.submitter, async () => {
    const path = `/public/identifications/${identificationId}/code`;
    ({ token } = await ask('POST', path, { code: $('code').value.trim() }));
    await show();
  });
});

/** The second way, where the operator trusts authorities: a text signed with the organization's certificate. */
$('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  void once(event.submitter, async () => {
    const { text } = await ask('POST', '/public/challenges', { uscc: $('sign-uscc').value.trim().toUpperCase() });
    say('');
    $('text').value = text;
    $('signed').hidden = false;
    $('text').focus();
  });
});

$('signed').addEventListener('submit', (event) => {
  event.preventDefault();
  void once(event.submitter, async () => {
    const jws = $('jws').value.trim();
    const detached = jws.split('.')[1] === '';
    ({ token } = await ask('POST', '/public/signed-statements', { jws, ...(detached && { text: $('text').value }) }));
    [$('jws').value, $('jws-file').value, $('text').value] = ['', '', ''];
    $('signed').hidden = true;
    await show();
  });
});

$('jws-file').addEventListener('change', async () => {
  const [file] = $('jws-file').files;
  if (file) $('jws').value = (await file.text()).trim();
});

$('save').addEventListener('click', () => save($('text').value, 'text/plain', 'liandun-statement.json'));

$('again').addEventListener('click', () => leave());

$('leave').addEventListener('click', () => leave());

$('copy').addEventListener(
  'click',
  () =>
    void once($('copy'), async () => {
      const copy = await ask('GET', '/public/subject/copy');
      save(JSON.stringify(copy, null, 2), 'application/json', 'liandun-copy.json');
    }),
);

draw();

// Without an answer the first way is shown alone.
try {
  const { ways } = await ask('GET', '/public/identifications');
  $('sign').hidden = !ways.includes('signedStatement');
} catch {
  say('');
}
