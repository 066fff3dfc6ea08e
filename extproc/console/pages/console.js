// Follows what happens: asks for the page again when the console says that something changed, and takes over the parts
// that are marked for it. Without this script a page is as it was when it was opened.
const fault = document.getElementById('fault');
if (fault !== null) fault.focus();

// Said only where it is so.
document.getElementById('follows')?.removeAttribute('hidden');

const announcement = document.getElementById('announcement');
// What was done stays told; what comes by itself stands behind it.
const done = announcement?.textContent.trim() ?? '';
let isAsking = false;
let isAskedAgain = false;

async function takeOver() {
  if (isAsking) {
    isAskedAgain = true;
    return;
  }
  isAsking = true;
  try {
    const page = await freshPage();
    if (page === null) return;
    let isChanged = false;
    for (const part of document.querySelectorAll('[data-live-part]')) {
      const fresh = page.getElementById(part.id);
      if (fresh === null || fresh.textContent === part.textContent) continue;
      isChanged = true;
      const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
      part.replaceChildren(...fresh.childNodes);
      if (focused !== null) part.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    }
    if (isChanged) announcement.textContent = `${done} ${wordsOf(page)}`.trim();
  } catch {
    // The next event asks again.
  } finally {
    isAsking = false;
    if (isAskedAgain) {
      isAskedAgain = false;
      void takeOver();
    }
  }
}

/** The browser parses it as a document in which no script runs; null where there is none. */
function freshPage() {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('GET', location.href);
    request.responseType = 'document';
    request.addEventListener('loadend', () => resolve(request.status === 200 ? request.response : null));
    request.send();
  });
}

function wordsOf(page) {
  const state = page.getElementById('state');
  const heading = page.getElementById('held-requests');
  return `The page has changed. ${(state ?? heading)?.textContent.trim() ?? ''}`;
}

// A browser has few connections to one host: pages that nobody sees give theirs back.
let events = null;
let isEnded = false;

function follow() {
  if (document.hidden || isEnded) {
    events?.close();
    events = null;
    return;
  }
  events ??= listen();
}

function listen() {
  const source = new EventSource(document.getElementById('main').dataset.events);
  source.addEventListener('changed', () => void takeOver());
  source.addEventListener('ended', () => {
    isEnded = true;
    follow();
    announcement.textContent = 'Your session has ended. Load the page again to log in.';
  });
  return source;
}

document.addEventListener('visibilitychange', follow);
follow();
