// What the server tells, and what it is asked to do.

export class Refused extends Error {}

async function checked(response) {
  if (response.ok) return response;
  let why = `${response.status} ${response.statusText}`;
  try { why = (await response.json()).error ?? why; } catch { /* no JSON: the status has to do */ }
  throw new Refused(why);
}

export async function get(path) {
  return (await checked(await fetch(path))).json();
}

export async function bytes(path) {
  return (await checked(await fetch(path))).arrayBuffer();
}

export async function picture(path) {
  return createImageBitmap(await (await checked(await fetch(path))).blob());
}

export async function act(wish) {
  const response = await fetch("/api/do", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(wish),
  });
  return (await checked(response)).json();
}
