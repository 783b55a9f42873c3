// Inside the frame: tells the page around it how high the form is. Opened by itself, the page has a background.
document.documentElement.classList.toggle('alone', parent === window)
const tell = () => parent.postMessage({ broadsheet: 'height', height: document.documentElement.offsetHeight }, '*')
new ResizeObserver(tell).observe(document.documentElement)
tell()
