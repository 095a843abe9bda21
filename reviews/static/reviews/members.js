// The link for a new person, copied with one click. Browsers allow that on safe pages only.

const link = document.getElementById("invite-link");
const copy = document.getElementById("copy-link");
if (link) {
  link.addEventListener("focus", () => link.select());
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(link.value);
    copy.textContent = "Copied";
  });
}
