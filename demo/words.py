"""What the sample shop's people, pages, mails and products are called.

The words are awkward on purpose: commas, semicolons, quotes, line breaks, accents, emoji, spaces
at either end, markup and formulas are what breaks a CSV reader or a careless writer.
"""

FIRST_NAMES = (
    "José", "María", "Lucía", "Hugo", "Íñigo", "Núria", "Zoë", "Anaïs", "Bjørn", "Łukasz",
    "Søren", "Chloé", "Jürgen", "Beyza", "Siân", "Adèle", "João", "Conceição", "Mary Ann",
    "Jean-Luc", "Noor", "Daniel", "Eva", "Paul", "Inés",
)  # fmt: skip
SURNAMES = (
    "García Márquez", "O'Connor", "Núñez", "Müller", "Åkesson", "de la Fuente", "Łuczak",
    "D'Angelo", "Smith, Jr.", 'Dwayne "Rock" Jones', "van 't Hoff", "São João", "Çelik",
    "Fernández-Ruiz", "Hernández", "Lefèvre", "Ødegård", "Peña", "Weiß", "Kovač",
)  # fmt: skip
ADDRESS_FIRST_NAMES = (
    "jose", "maria", "lucia", "hugo", "inigo", "nuria", "zoe", "anais", "bjorn", "lukasz",
    "soren", "chloe", "jurgen", "beyza", "sian", "adele", "joao", "conceicao", "maryann",
    "jean-luc", "noor", "daniel", "eva", "paul", "ines",
)  # fmt: skip
ADDRESS_SURNAMES = (
    "garcia", "oconnor", "nunez", "muller", "akesson", "delafuente", "luczak",
    "dangelo", "smith", "jones", "vanthoff", "saojoao", "celik",
    "fernandez-ruiz", "hernandez", "lefevre", "odegard", "pena", "weiss", "kovac",
)  # fmt: skip

STORES = ("Madrid, Gran Vía", "Valencia; Colón", "Málaga", 'A Coruña "Centro"', "Zürich", "Lyon 🦁")
TIERS = ("bronze", "silver", "gold", "platinum")
INTERESTS = (["garden"], ["kitchen"], ["garden", "kitchen"], ["books", "music", "café"], ["sport"])
NOTES = (
    "Call before delivery",
    'Says "ring twice", then wait',
    "3rd floor; no lift\nLeave it with the neighbour",
    "First line\r\nSecond line, after a Windows line break",
    "  two spaces before and two behind  ",
    "Prefiere la tarde; teléfono de su hermano, Ángel",
    "🎁 gift wrap, please 🎀",
    "=SUM(A1:A9)",
    '"',
    "tab\there",
    "Früh am Morgen, spätestens 8 Uhr",
    "<b>fragile</b> & heavy",
    "back\\slash, 100 %",
    "null",
)
PAGE_SLUGS = (
    "", "offers", "garden/chairs", "kitchen/pans?sort=price&dir=asc", "cart", "help/shipping",
    "blog/caf%C3%A9-ritual", "books", "account", "search?q=t%C3%A9", "gifts#for-her", "stores",
)  # fmt: skip
PAGE_TITLES = (
    "Home", "Offers: up to 50 %, today only", "Garden chairs | Sample shop",
    'Pans, from 8" to 14"', "Your cart 🛒", "Shipping; returns", "Our café ritual ☕",
    "Books\n& more", "Mi cuenta – área personal", "Results for “té”", "Gifts for her 💐", "Stores",
)  # fmt: skip
PAGE_TAGS = ("sale", "sale|garden", "new", "kitchen|steel", "café", "books|gifts")
PAGE_CATEGORIES = ("Home", "Home|Garden", "Home|Kitchen", "Leisure|Books", "Ayuda")
PAGE_KEYWORDS = ("chairs, tables", "pans; pots", "té verde", "gift ideas", "opening hours")
REFERERS = (
    "https://www.example.org/search?q=garden+chairs,+wood",
    "https://news.example.net/2026/10/best-caf%C3%A9s",
    "https://social.example.org/@shop",
    "android-app://com.example.mail/",
)
SEARCHES = (
    "garden chair", "té verde", '8" pan', "mesa, silla", "café; molido", "regalo 🎁 mamá",
    " espresso ", "niño 3 años", "o'connor cookbook", "sofa\ncama", "50% off",
)  # fmt: skip
DEVICES = ("desktop", "mobile", "tablet")
USER_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Mobile",
)
ORIGINS = ("web", "app", "api", "import")
CAMPAIGNS = (
    "Autumn, week 1", "Otoño: últimas unidades", 'The "big" sale', "Cart reminder; 2 h",
    "Welcome 👋", "Birthday 🎂", "Novedades de octubre", "Win-back",
)  # fmt: skip
WORKFLOWS = ("Newsletter", "Carrito abandonado", "Welcome, step 1", 'After "first" purchase')
WORKFLOW_TAGS = ("always-on", "always-on|cart", "campaign", "otoño|campaign")
EMAIL_TYPES = ("newsletter", "workflow", "transactional")
BOUNCE_TYPES = ("hard", "soft")
BOUNCE_CODES = ("550", "552", "421")
BOUNCE_STATUSES = ("5.1.1 mailbox, unknown", "5.2.2; mailbox full", "4.7.0 try again later")
FORM_TYPES = ("contact", "newsletter", "survey")
PAYMENT_METHODS = ("card", "bizum", "transfer", "cash, on delivery", "PayPal")
SOURCES = ("digital-store", "marketplace", "point-of-sale")
SOURCE_NAMES = ("Web shop", "Mercado, online", "Gran Vía 12")
SCENARIOS = ("direct", "assisted", "last-click")
EVENTS = ("Quiz finished", "Wishlist, shared", "Reseña escrita ⭐")
SEGMENT_NAMES = ("Returning customers", 'Wholesale, "VIP" & café ☕')
BRANDS = ("Casa Núñez", "Öko & Co.", 'Twelve" Ltd', "Le Café", "Nord; Süd")
PRODUCTS = (
    "Chair, folding", 'Pan 12"', "Café molido 1 kg", "Lámpara de pie", "Cushion; linen",
    "Teapot 🫖", "Niño y el mar (book)", "Rug 2×3 m", "Vase\nhand-made", "Éponge", "Knife set",
)  # fmt: skip
PRODUCT_CATEGORIES = ("Home|Garden", "Home|Kitchen", "Food", "Leisure|Books", "Décor")
