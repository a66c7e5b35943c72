"""Prose for the scripted backend: endless, deterministic, quick, and never twice the same.

English sentences are built of adjectives, compound nouns and verbs with few words between them, so
that nearly every window of five words comes from more than a thousand million; Chinese ones are
lines of five characters, each drawn from its own list. The words have neither digits, hyphens nor
apostrophes: both ways of counting words give the same figure.
"""

import random
import re

HAN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
LATIN_RUN = re.compile(r"[^\s\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


def _list(words):
    return tuple(words.split())


ADJECTIVES = _list("""amber ancient arctic autumn bitter blank bold brave brief bright brisk broad bronze calm
careful clever cloudy coastal cold copper crooked crystal curious damp dark deep distant dusty eager early
eastern empty faded faint fallen famous fertile fierce fluent foreign formal fragile frozen gentle giant golden
grand hidden hollow honest humble idle inner iron ivory jagged jolly keen kindly lasting lively local lonely
loyal lucid marble mellow mighty mild misty modest mossy narrow native nimble noble northern open orderly
outer pale patient plain polar polite prompt proud quiet rapid rare restless rigid rising rural rusty sandy
scarlet secret serene shady sharp silent silver simple slender slow sober solar solemn solid southern sparse
stable steady stern stony sturdy subtle sudden sunny swift tender thick thorough tidal tidy tranquil urban
useful vacant vivid wandering warm western wide wild windy wintry wooden young""")
FIRST = _list("""apple barley birch bramble bridge brook candle canyon cedar chalk cinder clover copper coral
cotton ember falcon feather fern field flint forest frost garden glass granite harbour hazel heather honey
island juniper kettle lake lantern lemon linen maple market meadow mill moon moss mountain night oak ocean
olive orchard paper pepper pine quarry rain raven reed ridge river salt sand shadow silk sky smoke snow
spring star stone storm summer temple thistle thunder timber valley velvet walnut water willow wind""")
SECOND = _list("""bank basin beam bell bird boat bow bough chest cliff craft crest dance door drift fall gate
glow grove hall haven hill house keeper land light line loom maker mark mast path point pool road room root
seed shade shelf shore side song spire square stair stand stream table tide tower trail wall ward way
well wheel wing wood wharf yard""")
VERBS = _list("""admire answer balance borrow bring build carry chart choose circle collect compare cover cross
describe divide draw explain explore favour follow gather govern guard guide honour include invite join keep
lead lift limit link measure meet mend mirror move notice observe offer order outlast paint pass praise
prefer protect question raise reach recall record reflect repair restore reveal reward ring save seek shape
share shelter shield spare spread study support surround survey sustain teach test trace trade transform trust
visit warm watch weigh welcome widen""")
ADVERBS = _list("""again almost always barely boldly calmly daily deeply early easily fairly firmly freely gladly
hardly kindly lately loudly mostly nearly never often openly partly plainly quickly quietly rarely sadly seldom
slowly softly somehow soon suddenly surely together truly twice usually warmly wisely yearly""")
LINKS = _list("""above across against along among around before behind below beneath beside between beyond despite
during inside near outside past through toward under until upon within without""")

ZH_ADJ = "寒远古暮孤清淡浓幽静深浅高低红白青黄紫碧苍翠金银旧新老嫩冷暖明暗长短轻重疏密残圆斜直软硬甜苦薄厚宽窄湿枯"
ZH_NOUN = "江山寺钟桥灯舟月云风雨雪花草树竹松梅兰菊柳荷溪湖海岸沙石路城楼门窗琴书画笔墨茶酒药衣镜针线鱼鸟马牛羊鹤燕雁蝶星霜露雾虹霞田园村井炉帆塔阁"
ZH_VERB = "照听看望寻问答留送迎载映绕穿过越抱依伴随引拂染洗藏开闭守护扶连接分合换记忘说唱写读数听追赶等惜怜敬爱"
ZH_ADV = "又还已将正常偶渐忽犹仍尚皆独共再初终"


def has_han(text):
    """Whether the text holds any Han or kana character."""
    return HAN.search(text) is not None


def count_words(text):
    """The natural count: each Han or kana character, and each other run holding a letter or digit."""
    runs = LATIN_RUN.findall(text)
    return len(HAN.findall(text)) + sum(1 for run in runs if any(c.isalnum() for c in run))


def count_tokens(text):
    """About what a tokenizer would say: 1 for a Han character, 1.35 for any other word."""
    han = len(HAN.findall(text))
    return han + round(1.35 * (count_words(text) - han))


class Prose:
    """A source of sentences, the same for the same seed.

    `language` is "en" or "zh"; `subject` is named in about every fourth sentence ("" for never).
    """

    def __init__(self, seed, language, subject=""):
        self.random = random.Random(seed)
        self.language = language
        self.subject = subject
        self.sentences = 0
        self.seen = set()

    def sentence(self):
        """One whole sentence; English ones do not hold the space that separates them."""
        make = self._chinese if self.language == "zh" else self._english
        for _ in range(20):
            words = make(self.sentences % 4 == 0 and self.subject)
            units = HAN.findall(words) if self.language == "zh" else words.lower().split()
            grams = {tuple(units[i : i + 5]) for i in range(len(units) - 4)}
            if not grams & self.seen:
                break
        self.seen |= grams
        self.sentences += 1
        return words

    def title(self):
        """A short title."""
        pick = self.random.choice
        if self.language == "zh":
            return "".join(pick(group) for group in (ZH_ADJ, ZH_NOUN, ZH_VERB, ZH_ADJ, ZH_NOUN))
        return f"{pick(ADJECTIVES)} {self._noun()} and {self._noun()}".title().replace(" And ", " and ")

    def text(self, words):
        """Paragraphs of whole sentences, ending at the sentence end nearest to so many words."""
        parts, total = [], 0
        gap = "" if self.language == "zh" else " "
        while True:
            sentence = self.sentence()
            size = count_words(sentence)
            if parts and abs(total + size - words) > abs(total - words):
                break
            parts.append(sentence)
            total += size
            if total >= words:
                break
        paragraphs, size = [], self.random.randint(4, 6)
        while parts:
            paragraphs.append(gap.join(parts[:size]))
            parts, size = parts[size:], self.random.randint(4, 6)
        return "\n\n".join(paragraphs)

    def _noun(self):
        first, second = self.random.choice(FIRST), self.random.choice(SECOND)
        return first + second

    def _phrase(self):
        return f"{self.random.choice(ADJECTIVES)} {self._noun()}"

    def _english(self, subject):
        pick = self.random.choice
        head = f"{pick(ADJECTIVES)} {self._noun()}s {pick(VERBS)} {self._phrase()}s"
        if subject:
            head = f"{pick(ADJECTIVES)} {self._noun()}s {pick(VERBS)} {subject} {pick(LINKS)} {self._phrase()}s"
        tail = pick((
            f" {pick(LINKS)} {self._phrase()}s",
            f" {pick(ADVERBS)} {pick(LINKS)} the {self._phrase()}",
            f", while {self._phrase()}s {pick(ADVERBS)} {pick(VERBS)} {self._phrase()}s",
            f", and {self._noun()}s {pick(VERBS)} the {self._phrase()} {pick(LINKS)} {self._noun()}s",
            f"; {pick(ADVERBS)} the {self._phrase()}s {pick(VERBS)} {self._phrase()}s",
            f" {pick(ADVERBS)}",
        ))
        words = head + tail
        return words[0].upper() + words[1:] + "."

    def _chinese(self, subject):
        lines = [self._line() for _ in range(self.random.randint(2, 4))]
        if subject:
            lines[0] = f"{self.random.choice(ZH_ADV)}{self.random.choice(ZH_VERB)}{subject}{lines[0]}"
        return "，".join(lines) + "。"

    def _line(self):
        pick = self.random.choice
        if self.random.random() < 0.3:
            groups = (ZH_NOUN, ZH_ADV, ZH_VERB, ZH_ADJ, ZH_NOUN)
        else:
            groups = (ZH_ADJ, ZH_NOUN, ZH_VERB, ZH_ADJ, ZH_NOUN)
        return "".join(pick(group) for group in groups)
