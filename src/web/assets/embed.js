// <script src="https://…/embed.js" async></script>: puts the sign-up form where the script stands.
;(() => {
  const home = PUBLIC_URL
  const origin = new URL(home).origin
  const script = document.currentScript
  const frame = document.createElement('iframe')
  frame.src = `${home}/embed`
  frame.title = 'Subscribe to the newsletter'
  frame.loading = 'lazy'
  frame.style.cssText = 'width:100%;max-width:40em;height:640px;border:0;color-scheme:light dark'
  script.after(frame)
  addEventListener('message', (event) => {
    if (event.origin !== origin || event.source !== frame.contentWindow) return
    const height = Number(event.data?.height)
    if (event.data?.broadsheet === 'height' && height > 0 && height < 5000)
      frame.style.height = `${Math.ceil(height)}px`
  })
})()
