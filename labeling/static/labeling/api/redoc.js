// ReDoc over the program's own OpenAPI document.

const place = document.getElementById("redoc");
const isDark = document.documentElement.classList.contains("dark");
const ink = isDark ? "#e5e7eb" : "#1f2937";
const ground = isDark ? "#1f2937" : "#f9fafb";

Redoc.init(
  place.dataset.schema,
  {
    nativeScrollbars: true,
    expandResponses: "200,201,202",
    theme: {
      spacing: { sectionVertical: 16 },
      typography: { fontFamily: "inherit", fontSize: "14px", headings: { fontFamily: "inherit" }, code: { color: isDark ? "#fda4af" : "#be123c" } },
      colors: { primary: { main: isDark ? "#c084fc" : "#7e22ce" }, text: { primary: ink, secondary: ink } },
      sidebar: { backgroundColor: ground, textColor: ink },
      rightPanel: { backgroundColor: "#111827" },
      schema: { nestedBackground: ground },
    },
  },
  place,
);
