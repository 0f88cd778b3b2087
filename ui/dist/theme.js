// Before the first paint, so that a dark page never flashes light.
(() => {
  let choice = null;
  try {
    choice = localStorage.getItem('theme');
  } catch {
    // A page without storage follows the system.
  }
  const dark =
    choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
