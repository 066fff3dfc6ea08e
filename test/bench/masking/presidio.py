"""Presidio over documents of the benchmark: its pattern recognisers with their context words, and no model of names.

usage: presidio.py DOCUMENTS.jsonl RESULT.json
Writes {"cpuSeconds": ..., "spans": [[[start, end, type], ...], ...]}, offsets in code points.
"""

import json
import sys
import time

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine

ENTITIES = ["EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS", "URL"]
SCORE_THRESHOLD = 0.35

# The list of top levels that came with the package, not one from the network.
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


class Tokens(SpacyNlpEngine):
    """Words alone, which the context words need."""

    def __init__(self):
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.blank("en")}


def main(documents_path, result_path):
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=Tokens(), supported_languages=["en"])
    with open(documents_path, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    analyzer.analyze("Write to jane@example.com, please.", language="en", entities=ENTITIES)
    spans = []
    began = time.process_time()
    for text in texts:
        found = analyzer.analyze(text, language="en", entities=ENTITIES, score_threshold=SCORE_THRESHOLD)
        spans.append([[one.start, one.end, one.entity_type] for one in found])
    cpu_seconds = time.process_time() - began
    with open(result_path, "w", encoding="utf-8") as result:
        json.dump({"cpuSeconds": cpu_seconds, "spans": spans}, result)


main(*sys.argv[1:])
