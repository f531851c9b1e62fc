"""The words that `core/prompting/enhancer.py` knows, in English and Indonesian; data only."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Aspect(StrEnum):
    """What a good prompt tells; in the order in which it is told."""

    SETTING = "setting"
    MOVEMENT = "movement"
    CAMERA = "camera"
    LIGHT = "light"
    STYLE = "style"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Scene:
    """What suits one kind of subject: sentences without their full stop; an empty one adds nothing."""

    setting: str
    movement: str
    camera: str
    light: str
    sound: str


@dataclass(frozen=True, slots=True)
class Language:
    """One language. Words are parts of regular expressions that match whole words; texts are sentences to add.

    `said` tells an aspect from its words, `subjects` a kind of subject, `small` how the language is recognised.
    `circumstance` are phrases that look like a place and are none; `movement_of` is weather that moves where nothing
    else does, `light_of` are weather and places that decide the light; `drawn` are styles that no lens has seen.
    """

    small: str
    said: Mapping[Aspect, str]
    subjects: Mapping[str, str]
    circumstance: str
    movement_of: Mapping[str, str]
    light_of: Mapping[str, str]
    drawn: str
    drawn_camera: str
    drawn_light: str
    longer: str
    upright: str
    style: str
    scenes: Mapping[str, Scene]


ENGLISH = Language(
    small="the|a|an|of|in|on|at|with|and|over|under|through|by|from|is|are|to|into|across|near",
    said={
        Aspect.SETTING: (
            "(in|on|at|under|over|across|through|near|along|inside|outside|beside|behind|above|below|between|against"
            "|around|into|onto|down|up|from|off) (the|a|an|its|his|her|their|some|this|\\w{3,})"
        ),
        Aspect.MOVEMENT: (
            "(?!morning|evening|building|lightning|spring|string|ceiling|painting|clothing|wedding|something|nothing"
            "|anything|everything|lighting|sterling|sibling|duckling|pudding|viking|beijing|earring|framing)\\w{3,}ing"
            "|(walk|run|jump|cross|move|drift|float|roll|turn|open|dance|swim|rise|fall|spin|glide|look|smile|wave|pour"
            "|blow|flow|grow|bloom|burn|crash|drive|ride|ripple|fade|drop|flicker|sway|climb|land|pass|take)s?(es)?"
            "|flies|movements?|motion|still|timelapse|time-lapse|slow-motion"
        ),
        Aspect.CAMERA: (
            "camera|shots?|close-?ups?|aerial|drone view|pan|pans|panning|tilt|tilts|zooms?|zooming|dolly|tracking"
            "|handheld|hand-held|pov|point of view|macro|overhead|top-down|lens|wide-?angle|wide angle|low angle"
            "|high angle|bird'?s[- ]eye|steadicam|orbits?|crane|push-?in|\\d{2,3} ?mm|establishing|first[- ]person"
        ),
        Aspect.LIGHT: (
            "light|lights|lit|lighting|sunlit|moonlit|sunset|sunrise|dawn|dusk|golden hour|blue hour|night|moonlight"
            "|sunlight|daylight|neon|candle|candles|candlelight|shadows?|backlit|sunny|overcast|noon|midday|morning"
            "|afternoon|evening|twilight|glow|glowing|dark|bright|sun|silhouettes?|aurora|fire|lanterns?"
        ),
        Aspect.STYLE: (
            "cinematic|photo-?realistic|photoreal|realistic|film|movie|anime|cartoon|watercolou?r|sketch|pixel|3d|cgi"
            "|claymation|stop[- ]motion|documentary|noir|vintage|retro|oil painting|painting|painted|illustration"
            "|illustrated|minimalist|surreal|cyberpunk|comic|black and white|monochrome|low[- ]poly|vhs|commercial"
            "|advert|animated|animation|drawn|drawing|style|origami|isometric|photograph|photography|dreamlike"
        ),
        Aspect.SOUND: "sounds?|audio|music|voices?|says|sings?|silence|silent|noise|hum|whispers?|dialogue|narrator",
    },
    subjects={
        "animal": (
            "animals?|fox(es)?|dogs?|pupp(y|ies)|cats?|kittens?|birds?|horses?|lions?|tigers?|elephants?|herons?|eagles?"
            "|owls?|whales?|dolphins?|turtles?|butterfl(y|ies)|bees?|deer|bears?|wolf|wolves|rabbits?|monkeys?"
            "|orangutans?|pandas?|ducks?|swans?|cows?|sheep|goats?|penguins?|sharks?|komodo|fish|crows?"
        ),
        "person": (
            "m[ae]n|wom[ae]n|girls?|boys?|child|children|kids?|people|persons?|dancers?|rowers?|runners?|chefs?|workers?"
            "|farmers?|astronauts?|singers?|crowds?|famil(y|ies)|bab(y|ies)|couples?|musicians?|artists?|surfers?"
            "|fisherm[ae]n|teams?|grandmothers?|grandfathers?|students?|teachers?|doctors?|faces?|hands?"
        ),
        "food": (
            "food|coffee|tea|cakes?|bread|soup|noodles?|pizzas?|burgers?|fruits?|apples?|dish(es)?|chocolate|cocktails?"
            "|satay|rendang|breakfast|desserts?|bowls?|cups? of|plates?"
        ),
        "product": (
            "products?|bottles?|watch(es)?|shoes?|sneakers?|phones?|smartphones?|laptops?|perfumes?|handbags?"
            "|headphones?|packag(e|es|ing)|lipsticks?|jars?|sunglasses|rings?|necklaces?|logos?"
        ),
        "vehicle": (
            "cars?|trains?|bus(es)?|trucks?|motorcycles?|motorbikes?|bicycles?|bikes?|boats?|ships?|planes?|airplanes?"
            "|aeroplanes?|helicopters?|trams?|rockets?|scooters?"
        ),
        "space": "space|planets?|galax(y|ies)|stars|nebulas?|mars|spaceships?|spacecraft|universe|cosmos|comets?",
        "underwater": "underwater|reefs?|corals?|seabed|jellyfish",
        "water": "sea|oceans?|lakes?|rivers?|waterfalls?|waves?|beach(es)?|coasts?|streams?|ponds?|harbou?rs?|water",
        "city": "cit(y|ies)|streets?|towns?|markets?|skylines?|buildings?|towers?|bridges?|alleys?|villages?",
        "land": (
            "mountains?|forests?|deserts?|fields?|meadows?|valleys?|hills?|jungles?|volcano(es)?|trees?|gardens?"
            "|canyons?|glaciers?|islands?|landscapes?|rice terraces?|flowers?"
        ),
        "abstract": "abstract|ink|smoke|silk|paint|particles?|patterns?|liquid|crystals?|fractals?|shapes?",
    },
    circumstance=(
        "in (slow motion|black and white|the style of|\\w+ style|colou?r|detail|4k|hd|the (morning|evening|afternoon"
        "|dark|rain|snow|fog))|at (dawn|dusk|night|sunset|sunrise|noon|midday|twilight|golden hour|blue hour)"
        "|from (above|below|behind|the side)|close up|up close|on camera|over time|(look|looks|looking) (up|down)"
    ),
    movement_of={
        "rain|rainy|storm|stormy|drizzle|monsoon": "Rain falling steadily, drops bouncing off and running down",
        "snow|snowy|snowfall|blizzard": "Snowflakes drifting down slowly",
        "fog|foggy|mist|misty": "Mist drifting past slowly",
    },
    light_of={
        "rain|rainy|storm|stormy|drizzle|monsoon": "Soft grey light of a rainy day, wet surfaces catching reflections",
        "snow|snowy|snowfall|blizzard|ice|icy": "Pale winter light, cool in the shadows",
        "fog|foggy|mist|misty|haze|hazy": "Soft, hazy light that fades into the distance",
        "room|kitchen|studio|cafe|café|office|indoors?|bedroom|library|workshop|restaurant|house": (
            "Soft light from a window at one side, gentle shadows"
        ),
    },
    drawn=(
        "anime|cartoon|watercolou?r|sketch|pixel|claymation|comic|illustration|illustrated|low[- ]poly|origami|drawn"
        "|drawing|oil painting|painted|isometric"
    ),
    drawn_camera="The camera moves slowly across the picture, one steady direction",
    drawn_light="Clear, even light with simple shadows",
    longer=", then holds on the last moment",
    upright=", framed upright with the subject in the middle",
    style="Photorealistic, natural colours, fine detail, cinematic depth",
    scenes={
        "animal": Scene(
            "In its natural surroundings",
            "Small lifelike movements: breath, a turn of the head, an alert look",
            "The camera stays low at eye level and pushes in slowly",
            "Warm, low sunlight from one side",
            "Natural sound of the place around it",
        ),
        "person": Scene(
            "In a quiet place that is not crowded with detail",
            "Natural, unhurried movements and a relaxed expression",
            "Medium shot, the camera follows smoothly at a walking pace",
            "Soft daylight from one side that shapes the face",
            "Quiet sound of the place, soft footsteps and cloth",
        ),
        "food": Scene(
            "On a plain wooden table",
            "Steam rising and small drops catching the eye, everything else at rest",
            "Close-up, the camera glides slowly sideways with a shallow depth of field",
            "Soft light from a window at one side",
            "Close, crisp sound of the food",
        ),
        "product": Scene(
            "On a plain surface against an uncluttered background",
            "A slow, steady turn, reflections moving along the edges",
            "Close-up, the camera circles slowly, sharp from edge to edge",
            "Soft studio light with one clear highlight",
            "A low, calm tone of sound",
        ),
        "vehicle": Scene(
            "On an open road or way that leads into the distance",
            "Moving at a steady speed, the background passing by",
            "Tracking shot from the side that keeps pace",
            "Late afternoon sunlight, long shadows",
            "Steady sound of the engine and of the air passing",
        ),
        "space": Scene(
            "",
            "Slow, weightless drifting",
            "The camera glides forward slowly, a sense of great scale",
            "Hard light from one distant sun, deep shadows",
            "A deep, quiet drone of sound",
        ),
        "underwater": Scene(
            "",
            "Everything sways gently with the current, small bubbles rising",
            "The camera drifts forward slowly, weightless",
            "Shafts of light falling from the surface",
            "Muffled underwater sound, soft bubbles",
        ),
        "water": Scene(
            "",
            "Gentle ripples moving across the water, reflections shifting",
            "Wide shot, the camera glides slowly forward just above the water",
            "Soft, low sunlight with glints on the water",
            "Sound of gently lapping water",
        ),
        "city": Scene(
            "",
            "People and traffic moving through at an everyday pace",
            "Wide shot at street level, the camera moves slowly forward",
            "Soft daylight between the buildings, gentle shadows",
            "Distant sound of the city",
        ),
        "land": Scene(
            "",
            "A light wind moving through the plants, clouds drifting slowly",
            "Wide aerial shot, the camera glides slowly forward",
            "Low, warm sunlight with long shadows",
            "Quiet sound of wind",
        ),
        "abstract": Scene(
            "Against a plain, dark background",
            "Slowly unfolding and flowing, never abrupt",
            "Macro shot, the camera holds still",
            "Soft light from behind that brings out the edges",
            "A soft, slowly changing tone of sound",
        ),
        "": Scene(
            "In a simple setting that does not distract",
            "Calm, continuous movement from beginning to end",
            "Medium shot, the camera pushes in slowly",
            "Soft, natural daylight from one side",
            "Natural sound of the place",
        ),
    },
)

INDONESIAN = Language(
    small="yang|dan|di|ke|dari|dengan|sebuah|seekor|seorang|pada|untuk|saat|ketika|itu|ini|sedang|secangkir|para",
    said={
        Aspect.SETTING: (
            "(di|ke|dari|dalam|antara|dekat|sepanjang|menuju) "
            "(atas|bawah|dalam|luar|tepi|tengah|depan|belakang|samping|antara|\\w{3,})"
        ),
        Aspect.MOVEMENT: (
            "(?!berwarna|beras|berlian|merah|meja|menara|mesin|mewah|megah|mentari|melati|melayu|terang|terakhir|medan"
            "|mendung|merdeka|merapi|terasering|media)(ber|me|ter)\\w{4,}"
            "|gerakan|gerak|lari|jalan kaki|tari|terbang|jatuh|naik|turun|mekar|diam|timelapse|goyang"
        ),
        Aspect.CAMERA: (
            "kamera|bidikan|close-?up|dari (atas|udara|samping|dekat)|drone|makro|sudut (pandang|rendah|tinggi)|lensa"
        ),
        Aspect.LIGHT: (
            "cahaya|bercahaya|senja|fajar|matahari|malam|pagi|sore|siang|bulan|lampu|bayangan|mendung|cerah|gelap|terang"
            "|neon|lilin|subuh|api|aurora"
        ),
        Aspect.STYLE: (
            "sinematik|realistis|fotorealistis|film|anime|kartun|cat air|lukisan|sketsa|animasi|dokumenter|hitam putih"
            "|ilustrasi|gaya|retro|3d|iklan|komik|surealis|minimalis"
        ),
        Aspect.SOUND: "suara|bunyi|musik|audio|nyanyian|hening|sunyi|dialog|narator",
    },
    subjects={
        "animal": (
            "hewan|binatang|rubah|anjing|kucing|burung|kuda|singa|harimau|gajah|elang|ikan|paus|lumba-lumba|penyu"
            "|kupu-kupu|lebah|rusa|beruang|serigala|kelinci|monyet|orangutan|bebek|angsa|sapi|kambing|ayam|komodo"
        ),
        "person": (
            "orang|pria|wanita|perempuan|laki-laki|lelaki|anak|anak-anak|gadis|penari|pelari|koki|pekerja|petani|astronaut"
            "|penyanyi|keluarga|bayi|pasangan|musisi|seniman|peselancar|nelayan|nenek|kakek|ibu|ayah|siswa|guru|dokter"
        ),
        "food": "makanan|kopi|teh|kue|roti|sup|mi|mie|nasi|bakso|sate|rendang|buah|apel|cokelat|sarapan|mangkuk|piring",
        "product": "produk|botol|jam tangan|sepatu|ponsel|laptop|parfum|tas|kemasan|lipstik|kacamata|cincin|logo",
        "vehicle": "mobil|kereta|bus|truk|motor|sepeda|perahu|kapal|pesawat|helikopter|roket|becak",
        "space": "luar angkasa|antariksa|planet|galaksi|bintang|nebula|mars|pesawat antariksa|komet",
        "underwater": "bawah (laut|air)|terumbu|karang|ubur-ubur",
        "water": "laut|samudra|danau|sungai|air terjun|ombak|pantai|pesisir|kolam|pelabuhan|air",
        "city": "kota|jalan|pasar|gedung|jembatan|gang|desa|kampung|stasiun",
        "land": "gunung|hutan|gurun|sawah|ladang|padang|lembah|bukit|rimba|pohon|taman|pulau|bunga|terasering",
        "abstract": "abstrak|tinta|asap|sutra|partikel|pola|cairan|kristal",
    },
    circumstance=(
        "(di|pada) (pagi|siang|sore|malam|waktu|saat)( hari)?|dari (atas|bawah|belakang|samping|udara|dekat)"
        "|dalam (gerak lambat|hitam putih|gaya \\w+)|ke (atas|bawah)"
    ),
    movement_of={
        "hujan|badai|gerimis": "Gerakan hujan yang turun tetap, tetesnya memantul dan mengalir",
        "salju": "Gerakan butir salju yang turun perlahan",
        "kabut|berkabut": "Gerakan kabut yang lewat perlahan",
    },
    light_of={
        "hujan|badai|gerimis": "Cahaya kelabu yang lembut di hari hujan, permukaan basah memantulkan sekitarnya",
        "salju|es": "Cahaya musim dingin yang pucat, sejuk pada bayangannya",
        "kabut|berkabut": "Cahaya lembut berkabut yang memudar ke kejauhan",
        "kamar|dapur|studio|kafe|kantor|rumah|perpustakaan|bengkel|restoran|ruang": (
            "Cahaya lembut dari jendela di satu sisi, bayangan halus"
        ),
    },
    drawn="anime|kartun|cat air|sketsa|komik|ilustrasi|lukisan",
    drawn_camera="Kamera bergeser perlahan melintasi gambar, satu arah yang tetap",
    drawn_light="Cahaya jernih dan merata dengan bayangan sederhana",
    longer=", lalu berhenti pada saat terakhir",
    upright=", dibingkai tegak dengan subjek di tengah",
    style="Fotorealistis, warna alami, detail halus, kedalaman sinematik",
    scenes={
        "animal": Scene(
            "Di lingkungan alaminya",
            "Gerakan kecil yang hidup: napas, tolehan kepala, tatapan waspada",
            "Kamera rendah setinggi mata dan mendekat perlahan",
            "Cahaya matahari hangat yang rendah dari satu sisi",
            "Suara alami di sekitarnya",
        ),
        "person": Scene(
            "Di tempat tenang yang tidak penuh detail",
            "Gerakan alami yang tidak tergesa, raut wajah santai",
            "Bidikan sedang, kamera mengikuti dengan halus",
            "Cahaya siang yang lembut dari satu sisi wajah",
            "Suara pelan tempat itu, langkah kaki yang halus",
        ),
        "food": Scene(
            "Di atas meja kayu yang polos",
            "Gerakan uap yang naik perlahan, yang lain diam",
            "Close-up, kamera bergeser perlahan ke samping dengan fokus dangkal",
            "Cahaya lembut dari jendela di satu sisi",
            "Suara makanan yang dekat dan renyah",
        ),
        "product": Scene(
            "Di atas permukaan polos dengan latar yang bersih",
            "Gerakan berputar pelan, pantulan bergeser di tepinya",
            "Close-up, kamera mengitari perlahan dengan fokus tajam",
            "Cahaya studio lembut dengan satu sorotan jelas",
            "Suara nada rendah yang tenang",
        ),
        "vehicle": Scene(
            "Di jalur terbuka yang menuju kejauhan",
            "Bergerak dengan kecepatan tetap, latar belakang berlalu",
            "Kamera mengikuti dari samping dengan kecepatan sama",
            "Cahaya matahari sore, bayangan panjang",
            "Suara mesin yang tetap dan angin yang lewat",
        ),
        "space": Scene(
            "",
            "Gerakan melayang perlahan tanpa bobot",
            "Kamera meluncur maju perlahan, terasa sangat luas",
            "Cahaya keras dari satu matahari yang jauh, bayangan pekat",
            "Suara dengung yang dalam dan pelan",
        ),
        "underwater": Scene(
            "",
            "Semua bergoyang lembut mengikuti arus, gelembung kecil naik",
            "Kamera melayang maju perlahan",
            "Berkas cahaya jatuh dari permukaan",
            "Suara redam bawah air, gelembung halus",
        ),
        "water": Scene(
            "",
            "Riak lembut bergerak di air, pantulan bergeser",
            "Bidikan lebar, kamera meluncur maju perlahan tepat di atas air",
            "Cahaya matahari rendah yang lembut, kilau di air",
            "Suara riak air yang lembut",
        ),
        "city": Scene(
            "",
            "Orang dan lalu lintas bergerak dengan irama sehari-hari",
            "Bidikan lebar setinggi jalan, kamera maju perlahan",
            "Cahaya siang yang lembut di antara bangunan",
            "Suara kota dari kejauhan",
        ),
        "land": Scene(
            "",
            "Angin ringan menggerakkan tumbuhan, awan bergeser perlahan",
            "Bidikan lebar dari udara, kamera meluncur maju perlahan",
            "Cahaya matahari rendah yang hangat, bayangan panjang",
            "Suara angin yang tenang",
        ),
        "abstract": Scene(
            "Di depan latar gelap yang polos",
            "Gerakan terurai dan mengalir perlahan, tidak tiba-tiba",
            "Bidikan makro, kamera diam",
            "Cahaya lembut dari belakang yang menonjolkan tepinya",
            "Suara nada lembut yang berubah perlahan",
        ),
        "": Scene(
            "Di tempat sederhana yang tidak mengalihkan perhatian",
            "Gerakan tenang yang berlanjut dari awal sampai akhir",
            "Bidikan sedang, kamera mendekat perlahan",
            "Cahaya siang alami yang lembut dari satu sisi",
            "Suara alami tempat itu",
        ),
    },
)

FOREIGN = "un|une|le|les|dans|der|die|das|und|ein|eine|el|los|una|con|il|della|een|het|och|som|ang|mga|của|một"
"""Small words of languages that are not known here, so that nothing is added in the wrong one."""
