// Before anything is drawn: light or dark, as the person chose or as the system is. Kept where the admin's theme keeps it.

const CHOSEN = "adminTheme";
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function chosenTheme() {
  try {
    return JSON.parse(localStorage.getItem(CHOSEN)) ?? "auto";
  } catch {
    return "auto"; // storage is off, or another program wrote there
  }
}

function showTheme() {
  const isDark = chosenTheme() === "dark" || (chosenTheme() === "auto" && prefersDark.matches);
  document.documentElement.classList.toggle("dark", isDark);
}

prefersDark.addEventListener("change", showTheme);
showTheme();
