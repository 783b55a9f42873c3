// What the console adds with script: live counts. Everything works without it, by reload.

for (const place of document.querySelectorAll('[data-live]')) {
  const source = new EventSource(place.dataset.live)
  source.addEventListener('message', (event) => {
    place.innerHTML = event.data
  })
  addEventListener('pagehide', () => source.close())
}
