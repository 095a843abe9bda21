// A long paste goes as a file: as a field of the form the server would refuse it.

const LONG = 500_000; // characters

export function sendAsFile(form, name) {
  form.addEventListener("formdata", ({ formData }) => {
    if (formData.get(name).length <= LONG || formData.get("file").size) return;
    formData.set("file", new File([formData.get(name)], "pasted.txt"));
    formData.set(name, "");
  });
}
