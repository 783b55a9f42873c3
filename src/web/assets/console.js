// What the console adds with script: pages that follow what they show. Everything works without it, by reload.

const staleMs = 10_000

for (const place of document.querySelectorAll('[data-live]')) follow(place)

function follow(place) {
  const shown = new Map()
  for (const part of place.querySelectorAll('[data-part]')) shown.set(part.dataset.part, part.innerHTML)
  const note = place.querySelector('[data-stale]')
  let source
  let stale
  const open = () => {
    source = new EventSource(place.dataset.live)
    source.addEventListener('message', (event) => update(place, shown, event.data))
    source.addEventListener('open', () => {
      clearTimeout(stale)
      stale = undefined
      note.hidden = true
    })
    // It is opened again by itself; if that takes long, what the page says may no longer be so.
    source.addEventListener('error', () => {
      stale ??= setTimeout(() => (note.hidden = false), staleMs)
    })
  }
  open()
  addEventListener('pagehide', () => source.close())
  addEventListener('pageshow', (event) => event.persisted && open())
}

/** Replaces only what changed, inside parts that stay: focus isn't lost, and a status is read out once. */
function update(place, shown, text) {
  const fresh = document.createElement('template')
  fresh.innerHTML = text
  for (const part of fresh.content.querySelectorAll('[data-part]')) {
    const name = part.dataset.part
    if (shown.get(name) === part.innerHTML) continue
    shown.set(name, part.innerHTML)
    const old = place.querySelector(`[data-part="${name}"]`)
    const focused = old.contains(document.activeElement) ? document.activeElement : null
    old.replaceChildren(...part.childNodes)
    if (focused) focusAgain(old, focused)
  }
}

/** On the same link; if it is gone, on the part, so that the next key goes on from there. */
function focusAgain(part, before) {
  const href = before.getAttribute('href')
  const same = href && [...part.querySelectorAll('a')].find((link) => link.getAttribute('href') === href)
  if (!same) part.tabIndex = -1
  ;(same || part).focus({ preventScroll: true })
}
