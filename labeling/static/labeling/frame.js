// The frame of every page: the choice of colours, and on wide screens whether the menu is shown. Works without.

/* global CHOSEN, chosenTheme, showTheme -- of theme.js */

const MENU = "sidebarDesktopOpen"; // where the admin's theme keeps it
const themes = document.getElementById("themes");
const toggle = document.getElementById("menu-wide");

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // storage is off: it holds for this page
  }
}

function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function showChosen() {
  showTheme();
  for (const button of themes.children) button.setAttribute("aria-pressed", String(button.dataset.theme === chosenTheme()));
}

function showMenu(isShown) {
  document.documentElement.classList.toggle("is-menu-closed", !isShown);
  toggle.setAttribute("aria-expanded", String(isShown));
}

themes.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  remember(CHOSEN, JSON.stringify(button.dataset.theme));
  showChosen();
});
toggle.addEventListener("click", () => {
  const isShown = toggle.getAttribute("aria-expanded") !== "true";
  showMenu(isShown);
  remember(MENU, isShown ? "1" : "0");
});

themes.hidden = false;
toggle.hidden = false;
showChosen();
showMenu(recall(MENU) !== "0");
