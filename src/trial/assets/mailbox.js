// Keeps the list fresh: asks every two seconds for the newest mail and, when there is another, takes over the list from the page
// as the server writes it now. Times are shown in the reader's own zone. The page works without it.
const localTimes = () => {
  const today = new Date().toDateString()
  for (const time of document.querySelectorAll('time[datetime]')) {
    const at = new Date(time.dateTime)
    time.textContent =
      at.toDateString() === today
        ? at.toLocaleTimeString([], { timeStyle: 'medium' })
        : at.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })
  }
}
localTimes()

const list = document.querySelector('#messages[data-live]')
const refresh = async () => {
  if (document.visibilityState !== 'visible') return
  const [newest] = await (await fetch(`${list.dataset.live}/messages.json?limit=1`)).json()
  if ((newest?.id ?? '') === list.dataset.newest) return
  const page = new DOMParser().parseFromString(await (await fetch(list.dataset.live)).text(), 'text/html')
  const fresh = page.querySelector('#messages')
  list.replaceChildren(...fresh.childNodes)
  list.dataset.newest = fresh.dataset.newest
  localTimes()
}
// A server that is being restarted is asked again two seconds later.
if (list) setInterval(() => refresh().catch(() => {}), 2000)

// The preview of all mails: loaded again when a template was saved or the program was started again.
const preview = document.querySelector('[data-version]')
const ask = async () => {
  if (document.visibilityState !== 'visible') return
  const answer = await fetch(preview.dataset.ask)
  if (answer.ok && (await answer.text()) !== preview.dataset.version) location.reload()
}
if (preview) setInterval(() => ask().catch(() => {}), 1000)
