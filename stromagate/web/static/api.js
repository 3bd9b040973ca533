// What the pages ask of the server: JSON in, JSON out. A refusal is an Error that carries its code and what to do.
export class Refused extends Error {
  constructor(error, status) {
    super(error.message);
    this.code = error.code;
    this.hint = error.hint;
    this.status = status;
    this.more = error;
  }
}

async function answer(response) {
  let body;
  try {
    body = await response.json();
  } catch (cause) {
    if (cause.name === "AbortError") { throw cause; }  // the page asked for something else meanwhile
    throw new Refused({code: "review.answer", message: `the server answered ${response.status}`, hint: null}, response.status);
  }
  if (!response.ok || body.ok === false) {
    const error = body.error || {code: "review.answer", message: `the server answered ${response.status}`};
    throw new Refused(error, response.status);
  }
  return body;
}

async function asked(path, options) {
  let response;
  try {
    response = await fetch(path, {credentials: "same-origin", cache: "no-store", ...options});
  } catch (cause) {
    if (cause.name === "AbortError") { throw cause; }
    throw new Refused({code: "review.gone", message: "the review no longer answers", hint: "is stromagate review still running in its terminal?"}, 0);
  }
  return answer(response);
}

export const get = (path, options = {}) => asked(path, options);
export const post = (path, body, options = {}) => asked(path, {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body), ...options,
});

// Say something in the page's status line; `bad` for what went wrong.
export function tell(text, bad = false) {
  const line = document.getElementById("told");
  line.textContent = text;
  line.classList.toggle("bad", bad);
}

export function tellRefusal(error) {
  if (error.name === "AbortError") { return; }
  tell(error.hint ? `${error.message}. ${error.hint}` : error.message, true);
}

// Return an element with text and attributes: everything that is shown goes through textContent.
export function make(name, {text = "", ...attributes} = {}, ...children) {
  const made = document.createElement(name);
  if (text) { made.textContent = text; }
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) { made.setAttribute(key, ""); } else if (value !== false && value !== null) { made.setAttribute(key, value); }
  }
  made.append(...children.filter(Boolean));
  return made;
}
