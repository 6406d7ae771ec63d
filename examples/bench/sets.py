"""The sets by the name that the command line has. A set is a module with

    read_truth(path)       -> [Question]
    read_rows(path)        -> (key, row) of every answer in a file; a Problem where one has another shape
    row_of(question, hits) -> the row of an answer, from [(start, stop, confidence)]
    text_of_rows(rows)     -> the file of answers as text
    score(questions, rows) -> {name: 0 to 1}, of rows by key; a question without a row is an empty answer
"""
import qvhighlights
import timelens
import vue_tr

SETS = {"vue-tr": vue_tr, "vue-tr-v2": vue_tr, "qvhighlights": qvhighlights, "timelens": timelens}
